// What the browser tests share: Debian's Chromium, a person who logs in.
const { chromium } = require('playwright-core');

const ARGUMENTS = [
  '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-sync',
  '--disable-background-networking', '--disable-component-update',
];

// Runs `script(browser, options)` with the options given as JSON on the command line, and prints
// what it returns as JSON.
async function main(script) {
  const options = JSON.parse(process.argv[2]);
  const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ARGUMENTS });
  try {
    console.log(JSON.stringify(await script(browser, options)));
  } finally {
    await browser.close();
  }
}

// Types into the login page that is open, or that the browser is on the way to.
async function logIn(page, { user, password }) {
  await page.waitForURL(/\/dex\/auth\/local\/login/);
  await page.getByLabel('Email or username').fill(user);
  await page.getByLabel('Password').fill(password);
  await page.getByLabel('Password').press('Enter');
}

// Waits for something outside of the page.
async function until(what, milliseconds, condition) {
  const end = Date.now() + milliseconds;
  while (!condition()) {
    if (Date.now() > end) throw new Error(`not in ${milliseconds} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

module.exports = { main, logIn, until };

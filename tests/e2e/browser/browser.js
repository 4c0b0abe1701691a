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

async function logIn(page, { user, password }) {
  await page.waitForURL(/\/dex\/auth\/local\/login/);
  await page.getByLabel(/e-?mail|user|login/i).first().fill(user);
  await page.locator('input[name=password]').fill(password);
  await page.locator('input[name=password]').press('Enter');
}

module.exports = { main, logIn };

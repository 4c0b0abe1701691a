// Looks at every page for people in light and dark, wide and narrow, with scripts switched off.
const path = require('node:path');
const { audit } = require('./audit');
const { main, logIn } = require('./browser');

const WIDTHS = [320, 360, 1280];
const FAILURES = 5;  // the tries after that are slowed down

let strangers = 0;
// An account of its own for each: failures are counted by account and address.
const stranger = () => ({ user: `stranger-${++strangers}@example.com`, password: 'not the password' });

async function refusals(page, options, look) {
  await page.goto(`${options.url}/dex/auth?client_id=nobody`);
  await look('client-unknown');
  await page.goto(`${options.url}/authservice/oidc/callback`);
  await look('link-damaged');
  await page.goto(`${options.url}/authservice/nothing`);
  await look('nothing-here');
  await page.goto(`${options.url}/dex;x/keys`);
  await look('bad-request');
  await page.goto(`data:text/html,<form method=post action=${options.url}/authservice/logout><button>x`);
  await page.getByRole('button').click();
  await page.getByRole('heading').waitFor();
  await look('other-site');
}

async function login(page, options, look) {
  await page.goto(`${options.url}/`);
  await look('login');
  await logIn(page, stranger());
  await page.getByRole('alert').waitFor();
  await look('login-refused');
  const impatient = stranger();
  for (let i = 0; i <= FAILURES; i++) {
    await Promise.all([page.waitForEvent('load'), logIn(page, impatient)]);
  }
  await page.getByText('Too many tries').waitFor();
  await look('login-slowed');
}

async function session(page, options, look) {
  await logIn(page, options);
  await page.waitForURL(`${options.url}/`);
  await look('dashboard');
  await page.goto(`${options.url}/away/`);
  await look('service-away');
  await page.goto(`${options.operations}/ambassador/v0/diag/`);
  await look('diagnostics');
  await page.goto(`${options.url}/authservice/site/homepage`);
  await look('home');
  await page.goto(`${options.url}/authservice/logout`);
  await look('logout-question');
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.getByRole('heading', { name: 'You are signed out' }).waitFor();
  await look('signed-out');
}

main(async (browser, options) => {
  const seen = [];
  for (const colorScheme of ['light', 'dark']) {
    for (const width of WIDTHS) {
      const context = await browser.newContext({
        colorScheme, viewport: { width, height: 800 }, javaScriptEnabled: false,
      });
      const page = await context.newPage();
      const violations = [];
      page.on('console', (message) => {
        if (/Content.Security.Policy/i.test(message.text())) violations.push(message.text());
      });
      const look = async (name) => {
        const shot = `${name}-${colorScheme}-${width}`;
        await page.screenshot({ path: path.join(options.folder, `${shot}.png`), fullPage: true });
        seen.push({ name, shot, problems: [...violations.splice(0), ...await audit(page)] });
      };
      await refusals(page, options, look);
      await login(page, options, look);
      await session(page, options, look);
      await context.close();
    }
  }
  return seen;
});

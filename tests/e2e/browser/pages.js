// Looks at each page in light and dark, wide and narrow: nothing is cut off, nothing needs a script.
const path = require('node:path');
const { main, logIn } = require('./browser');

main(async (browser, options) => {
  const seen = [];
  for (const colorScheme of ['light', 'dark']) {
    for (const width of [320, 360, 1280]) {
      const context = await browser.newContext({
        colorScheme, viewport: { width, height: 800 }, javaScriptEnabled: options.script,
      });
      const page = await context.newPage();
      const violations = [];
      page.on('console', (message) => {
        if (/Content Security Policy|Refused/.test(message.text())) violations.push(message.text());
      });
      const look = async (name) => {
        if (options.folder) {
          await page.screenshot({ path: path.join(options.folder, `${name}-${colorScheme}-${width}.png`) });
        }
        const box = await page.locator('body').boundingBox();
        seen.push({ name, colorScheme, width, bodyWidth: box.width, title: await page.title(),
                    violations: [...violations] });
      };
      await page.goto(options.url + '/');
      await page.waitForURL(/\/dex\/auth\/local\/login/);
      await look('login');
      await logIn(page, { user: options.user, password: 'a wrong password' });
      await page.getByRole('alert').waitFor();
      await look('login-refused');
      await logIn(page, options);
      await page.waitForURL(options.url + '/');
      await look('dashboard');
      await page.getByRole('button', { name: /sign out/i }).click();
      await page.waitForURL(/after_logout|authservice/);
      await look('signed-out');
      await context.close();
    }
  }
  return seen;
});

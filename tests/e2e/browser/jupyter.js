// A person logs in, runs a notebook's cell through its WebSocket, moves big files, and logs out.
const fs = require('node:fs');
const { main, logIn, until } = require('./browser');

const STEP_MS = 120_000;  // any one step, on a busy machine
const PRESS_AGAIN_MS = 15_000;

async function openNotebook(page, options) {
  await page.goto(`${options.lab}/lab/tree/work.ipynb?reset`);
  await logIn(page, options);
  await page.locator('.jp-Notebook-ExecutionIndicator[data-status=idle]').first().waitFor();
  return page.url();
}

// JupyterLab drops a run that is asked for while its editor is still being made, as happens on a
// busy machine: a person then presses again. What it asks meanwhile is sent away, and said at last.
async function runCell(page) {
  const asked = [];
  const output = page.locator('.jp-OutputArea-output', { hasText: 'the answer is 42' }).first();
  for (let waited = 0; waited < STEP_MS; waited += PRESS_AGAIN_MS) {
    const dialog = page.locator('.jp-Dialog');
    if (await dialog.first().isVisible()) {
      asked.push(await dialog.first().innerText());
      await page.keyboard.press('Escape');
    }
    await page.locator('.jp-Notebook .jp-CodeCell .cm-content').first().click();
    await page.keyboard.press('Shift+Enter');
    const ran = await output.waitFor({ timeout: PRESS_AGAIN_MS }).then(() => true, () => false);
    if (ran) return;
  }
  throw new Error(`the cell was not run; JupyterLab asked: ${JSON.stringify(asked)}`);
}

async function download(page, options) {
  const downloading = page.waitForEvent('download');
  await page.evaluate((href) => {
    const link = document.createElement('a');
    link.href = href;
    link.download = '';
    document.body.append(link);
    link.click();
  }, `${options.lab}/files/big.bin?download=1`);
  await (await downloading).saveAs(options.download);
}

async function upload(page, options) {
  const choosing = page.waitForEvent('filechooser');
  await page.locator('[data-command="filebrowser:upload"], [title^="Upload Files"]').first().click();
  await (await choosing).setFiles(options.upload);
  // JupyterLab asks whether so large a file is meant.
  await page.locator('.jp-Dialog').getByRole('button', { name: 'Upload' }).click();
  const { size } = fs.statSync(options.upload);
  await until('the upload has arrived', STEP_MS, () =>
    fs.existsSync(options.uploaded) && fs.statSync(options.uploaded).size === size);
}

// Logs out in another tab; gives how long the notebook's open sockets to its kernel outlived that.
async function logOutElsewhere(page, options, sockets) {
  const open = sockets.filter((socket) => socket.url().includes('/api/kernels/') && !socket.isClosed());
  const dashboard = await page.context().newPage();
  await dashboard.goto(`${options.url}/`);
  const started = Date.now();
  const closing = Promise.all(open.map((socket) => socket.waitForEvent('close', { timeout: STEP_MS })))
    .then(() => Date.now() - started);
  await dashboard.getByRole('button', { name: 'Sign out' }).click();
  await dashboard.getByRole('heading', { name: 'You are signed out' }).waitFor();
  return { openSockets: open.length, closedAfterMs: await closing };
}

main(async (browser, options) => {
  const page = await (await browser.newContext()).newPage();
  page.setDefaultTimeout(STEP_MS);
  const sockets = [];
  page.on('websocket', (socket) => sockets.push(socket));

  const landed = await openNotebook(page, options);
  await runCell(page);
  await download(page, options);
  await upload(page, options);
  const end = await logOutElsewhere(page, options, sockets);
  const statusAfter = await page.evaluate(async (url) => (await fetch(url)).status, `${options.lab}/api/status`);
  return { landed, ...end, statusAfter };
});

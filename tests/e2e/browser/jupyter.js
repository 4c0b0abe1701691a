// A person logs in, runs a notebook's cell through its WebSocket, moves big files, and logs out.
const fs = require('node:fs');
const { main, logIn } = require('./browser');

main(async (browser, options) => {
  const context = await browser.newContext({ acceptDownloads: true });
  const page = await context.newPage();
  page.setDefaultTimeout(120_000);
  const closed = [];
  const opened = [];
  page.on('websocket', (socket) => {
    opened.push(socket.url());
    socket.on('close', () => closed.push({ url: socket.url(), at: Date.now() }));
  });
  const base = `${options.url}/notebook/team-a/lab`;

  await page.goto(`${base}/lab/tree/work.ipynb?reset`);
  await logIn(page, options);
  await page.waitForURL(/\/notebook\/team-a\/lab\/lab/);
  const landed = page.url();

  const cell = page.locator('.jp-Notebook .jp-CodeCell .cm-content').first();
  await cell.click();
  await page.locator('.jp-Notebook-ExecutionIndicator[data-status=idle]').first().waitFor();
  await page.keyboard.press('Shift+Enter');
  await page.locator('.jp-OutputArea-output', { hasText: 'the answer is 42' }).first().waitFor();

  const downloading = page.waitForEvent('download');
  await page.evaluate((href) => {
    const link = document.createElement('a');
    link.href = href;
    link.download = 'big.bin';
    document.body.append(link);
    link.click();
  }, `${base}/files/big.bin?download=1`);
  const download = await downloading;
  await download.saveAs(options.download);

  const choosing = page.waitForEvent('filechooser');
  await page.locator('[data-command="filebrowser:upload"], button[title^="Upload Files"], jp-button[title^="Upload Files"]')
    .first().click();
  await (await choosing).setFiles(options.upload);
  const uploadedSize = fs.statSync(options.upload).size;
  for (let i = 0; i < 600; i++) {
    if (fs.existsSync(options.uploaded) && fs.statSync(options.uploaded).size === uploadedSize) break;
    await page.waitForTimeout(100);
  }

  const kernelSockets = opened.filter((url) => url.includes('/api/kernels/'));
  const openBefore = kernelSockets.length - closed.filter((c) => c.url.includes('/api/kernels/')).length;
  const dashboard = await context.newPage();
  await dashboard.goto(options.url + '/');
  const started = Date.now();
  await dashboard.getByRole('button', { name: /sign out/i }).click();
  await dashboard.waitForLoadState();
  for (let i = 0; i < 200 && !closed.some((c) => c.url.includes('/api/kernels/') && c.at >= started); i++) {
    await page.waitForTimeout(50);
  }
  const kernelClosed = closed.filter((c) => c.url.includes('/api/kernels/') && c.at >= started);
  return {
    landed,
    downloaded: fs.statSync(options.download).size,
    openBefore,
    closedAfterMs: kernelClosed.length ? kernelClosed[0].at - started : null,
    signedOut: dashboard.url(),
  };
});

// What is wrong with the page that is open, as sentences: WCAG 2.2 AA, as far as a program can see.

const TEXT_CONTRAST = 4.5;
const EDGE_CONTRAST = 3;
const TARGET_PX = 44;

// Runs in the page.
function inspect({ TEXT_CONTRAST, EDGE_CONTRAST, TARGET_PX }) {
  const problems = [];
  const expect = (holds, problem) => holds || problems.push(problem);
  const all = (selector) => [...document.querySelectorAll(selector)];
  const name = (element) => `<${element.localName}> "${element.textContent.trim().slice(0, 30)}"`;

  const rgba = (text) => {
    const [r, g, b, a = 1] = text.match(/[\d.]+/g).map(Number);
    return { r, g, b, a };
  };
  const over = (top, below) => {
    const mix = (channel) => top[channel] * top.a + below[channel] * (1 - top.a);
    return { r: mix('r'), g: mix('g'), b: mix('b'), a: 1 };
  };
  const luminance = ({ r, g, b }) => {
    const [x, y, z] = [r, g, b].map((c) => c / 255)
      .map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
    return 0.2126 * x + 0.7152 * y + 0.0722 * z;
  };
  const contrast = (one, other) => {
    const [dark, light] = [luminance(one), luminance(other)].sort((x, y) => x - y);
    return (light + 0.05) / (dark + 0.05);
  };
  // The colours that can lie behind an element: more than one where there is a gradient.
  const grounds = (element) => {
    if (!element) return [{ r: 255, g: 255, b: 255, a: 1 }];
    const style = getComputedStyle(element);
    const own = rgba(style.backgroundColor);
    const plain = own.a === 1 ? [own] : grounds(element.parentElement).map((below) => over(own, below));
    const gradient = style.backgroundImage.match(/rgba?\([^)]*\)/g) ?? [];
    return plain.concat(gradient.flatMap((stop) => plain.map((below) => over(rgba(stop), below))));
  };
  const lowest = (color, element) =>
    Math.min(...grounds(element).map((ground) => contrast(over(rgba(color), ground), ground)));

  expect(document.documentElement.lang, 'the language is not named');
  expect(document.title, 'no title');
  expect(all('h1').length === 1, `${all('h1').length} h1`);
  expect(all('main').length === 1, `${all('main').length} main`);
  expect(document.documentElement.scrollWidth <= innerWidth,
         `${document.documentElement.scrollWidth} px of content on ${innerWidth} px`);

  for (const input of all('input:not([type=hidden])')) {
    expect(input.labels.length, `no label: ${input.outerHTML}`);
    expect(lowest(getComputedStyle(input).borderTopColor, input.parentElement) >= EDGE_CONTRAST,
           `faint border: ${input.outerHTML}`);
  }
  for (const message of all('.error')) {
    expect(message.getAttribute('role') === 'alert', 'the message is not an alert');
    expect(all('input[aria-invalid=true]').length, 'the message is about no field');
  }
  for (const field of all('[aria-invalid=true]')) {
    const described = document.getElementById(field.getAttribute('aria-describedby'));
    expect(described?.textContent.trim(), `not described: ${field.outerHTML}`);
  }

  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const holders = new Set(all('input:not([type=hidden])'));
  while (texts.nextNode()) {
    if (texts.currentNode.data.trim()) holders.add(texts.currentNode.parentElement);
  }
  for (const element of holders) {
    const ratio = lowest(getComputedStyle(element).color, element);
    expect(ratio >= TEXT_CONTRAST, `contrast ${ratio.toFixed(2)}: ${name(element)}`);
  }
  for (const target of all('a, button, input:not([type=hidden])')) {
    const { height } = target.getBoundingClientRect();
    expect(height >= TARGET_PX, `${height} px high: ${name(target)}`);
  }
  return problems;
}

// Runs in the page: which target has the focus, and what is wrong with how it shows.
function focused() {
  const targets = [...document.querySelectorAll('a, button, input:not([type=hidden])')];
  const { outlineStyle, outlineWidth } = getComputedStyle(document.activeElement);
  const visible = outlineStyle !== 'none' && parseFloat(outlineWidth) >= 2;
  return { index: targets.indexOf(document.activeElement), count: targets.length, visible };
}

// Tab reaches every target, and each shows that it has the focus.
async function inspectTabs(page) {
  const { count } = await page.evaluate(focused);
  const reached = new Map();
  for (let i = 0; i < count + 3; i++) {
    await page.keyboard.press('Tab');
    const { index, visible } = await page.evaluate(focused);
    reached.set(index, visible);
  }
  const problems = [];
  for (let i = 0; i < count; i++) {
    if (!reached.has(i)) problems.push(`Tab does not reach target ${i}`);
    else if (!reached.get(i)) problems.push(`the focus does not show on target ${i}`);
  }
  return problems;
}

async function audit(page) {
  const limits = { TEXT_CONTRAST, EDGE_CONTRAST, TARGET_PX };
  return [...await page.evaluate(inspect, limits), ...await inspectTabs(page)];
}

module.exports = { audit };

// What residents and staff do on the pages.
import assert from 'node:assert/strict';
import { base, passwordOf } from './lib.mjs';

const STREET = '440304008';

export const digits = (number) => number.replace(/\D/g, '');

// The street, and the community where the script or the button has brought the list.
export async function place(person, words) {
  await person.at('#street').selectOption(STREET);
  if (!person.combo.script) await person.press('#show-communities', /\/where$|\/file\//);
  await person.at(`#community option[value="${person.combo.community}"]`).waitFor({ state: 'attached' });
  await person.at('#community').selectOption(person.combo.community);
  await person.at('#place').fill(words);
}

// Fills the three steps without looking and stops before sending.
export async function write(person, { kind = 'appeal', category = 'street_lights', text, where, phone, name }) {
  await person.go(`/submit/${kind}`);
  await person.at('#text').fill(text);
  await person.choose('category', category);
  await person.press('.go button', /\/where$/);
  await place(person, where);
  await person.press('.go button', /\/contact$/);
  if (phone) await person.at('#phone').fill(phone);
  else await person.choose('unnamed', '1');
  if (name) await person.at('#name').fill(name);
  await person.press('.go button', /\/check$/);
}

export async function keysOf(person) {
  const number = digits(await person.text('#code-number'));
  const secret = person.at('#code-secret');
  return { number, secret: (await secret.count()) ? (await secret.innerText()).trim() : null };
}

export async function follow(person, { number, secret }) {
  await person.go('/case');
  await person.at('#number').fill(number);
  await person.at('#secret').fill(secret);
  await person.press('form.lookup button', new RegExp(`/case/${number}$`));
}

export async function signIn(person, name) {
  await person.go('/staff');
  await person.at('#login').fill(name);
  await person.at('#password').fill(passwordOf(name));
  await person.press('main form button', /^\/staff$/);
}

// Opens an act of the case at hand.
export async function open(person, number, act) {
  await person.go(`/staff/case/${number}?act=${act}`);
  await person.at(`#act-${act} form, #act-${act} .refused`).first().waitFor();
}

export function send(person, act, to) {
  return person.press(`#act-${act} form > button`, to);
}

// The hidden fields of a form, for posting it outside the page.
export async function hidden(person, form) {
  const fields = await person.at(`${form} input[type=hidden]`).evaluateAll((inputs) =>
    inputs.map((input) => [input.name, input.value]),
  );
  return Object.fromEntries(fields);
}

export function post(person, address, form) {
  const headers = { origin: base, 'accept-language': person.combo.lang };
  return person.context.request.post(base + address, { form, headers, maxRedirects: 0 });
}

export async function bytesOf(person, image) {
  const address = await person.at(image).first().getAttribute('src');
  const response = await person.context.request.get(base + address);
  assert.equal(response.status(), 200, `the photo ${address} can be seen`);
  return response.body();
}

// The board of the combination's own community, where nobody else files meanwhile.
const boardOf = (person) => `/staff/board?area=${person.combo.community}`;

// The numbers on that board, each by the list that stands behind it.
export async function figures(person) {
  await person.go(boardOf(person));
  const links = await person.at('.tile a[href*="figure="]').evaluateAll((all) =>
    all.map((link) => [new URL(link.href).searchParams.get('figure'), link.textContent.replace(/[,\s]/g, '')]),
  );
  return Object.fromEntries(links.filter(([, text]) => /^\d+$/.test(text)).map(([figure, text]) => [figure, Number(text)]));
}

// Goes behind a number and counts the rows of all pages of the list.
export async function countBehind(person, figure) {
  await person.go(boardOf(person));
  await person.lead(() => person.at(`.tile a[href*="figure=${figure}"]`).last().click(), /\/board\/cases$/);
  const said = Number((await person.text('.queue-sum')).replace(/\D/g, ''));
  const numbers = new Set();
  for (;;) {
    const rows = await person.at('.row-no a').allInnerTexts();
    rows.forEach((row) => numbers.add(digits(row)));
    if (!(await person.at('.pager a[rel=next]').count())) return { said, numbers };
    await person.press('.pager a[rel=next]');
  }
}

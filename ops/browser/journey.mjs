// One case from its first word to its end, and what may go wrong on the way.
import {
  bytesOf, countBehind, digits, figures, follow, hidden, keysOf, open, place, post, send, signIn, write,
} from './pages.mjs';
import { saysWhere } from './photo.mjs';

export async function journey(combo, n, photos) {
  const run = `${Date.now().toString().slice(-7)}${n}`;
  const t = combo.t.bind(combo);
  const matter = {
    phone: `139${run}`,
    name: t('林阿姨', 'Mrs Lam'),
    where: t(`莲花北村 ${run} 栋东侧小路`, `Path east of block ${run}, Lianhua North`),
    text: t(
      `楼下小路的路灯不亮,老人晚上回来看不清台阶,上周有人摔了一跤。(${run})`,
      `The lamps on the path are out. My mother can't see the steps at night, and somebody fell last week. (${run})`,
    ),
  };
  const resident = await combo.person('resident');
  await pages(combo, resident);
  await takeBack(combo, run);
  const supervisor = await combo.person('supervisor');
  await signIn(supervisor, 'supervisor');
  await waysLead(combo, supervisor);
  const start = await figures(supervisor);
  const keys = await file(combo, resident, matter, photos);
  await joins(combo, matter, keys);
  const follower = await combo.person('follower');
  await lookUp(combo, follower, keys, matter);
  const cadre = await combo.person('cadre');
  await takeOn(combo, cadre, keys, matter);
  await contact(combo, cadre, keys);
  await papers(combo, cadre, follower, keys);
  const unit = await combo.person('unit');
  await signIn(unit, 'unit');
  await waysLead(combo, unit);
  await result(combo, unit, keys, photos, true);
  await notSolved(combo, follower, keys);
  // What is done again is done by somebody else.
  await result(combo, cadre, keys, photos, false);
  await solved(combo, follower, keys);
  await board(combo, supervisor, start, keys);
  await counter(combo, run);
}

// Pages that need no case, the switches, and addresses that lead nowhere.
async function pages(combo, resident) {
  await resident.go('/');
  await resident.look('home');
  await resident.go('/privacy');
  await resident.look('privacy');
  combo.equal(await resident.go('/no-such-page'), 404, 'an unknown address');
  await resident.look('not-found');
  combo.equal(await resident.go('/submit/complaint/what'), 404, 'an unknown kind');

  await resident.go('/submit/hearing-request/what');
  await resident.at('.switches a').first().click();
  await resident.at('html.elder').waitFor();
  combo.equal(resident.path(), '/submit/hearing-request/what', 'larger text keeps the page');
  await resident.look('larger-text');
  await resident.go('/');
  await resident.look('home-larger-text');
  await resident.go('/submit/hearing-request/what');
  await resident.press('.switches a >> nth=1', /\/submit\/hearing-request\/what$/);
  combo.equal(await resident.at('html').getAttribute('lang'), combo.t('en', 'zh-CN'), 'the other language');
  await resident.press('.switches a >> nth=1', /\/submit\/hearing-request\/what$/);
  combo.equal(await resident.at('html').getAttribute('lang'), combo.lang, 'the first language again');
  await resident.press('.switches a >> nth=0', /\/submit\/hearing-request\/what$/);
  combo.equal(await resident.at('html.elder').count(), 0, 'normal text again');
}

// An unnamed suggestion that is withdrawn again.
async function takeBack(combo, run) {
  const person = await combo.person('withdrawing');
  await write(person, {
    kind: 'suggestion',
    category: 'greenery',
    text: combo.t(`建议在小公园加两张长椅。(${run})`, `Please add two benches to the pocket park. (${run})`),
    where: combo.t(`街心小公园 ${run}`, `Pocket park ${run}`),
  });
  await person.look('check-unnamed');
  await person.press('.go button', /\/submitted\//);
  await person.look('submitted-unnamed');
  const { number } = await keysOf(person);
  await person.go(`/case/${number}`);
  await person.at('#withdraw summary').click();
  await person.press('#withdraw form > button', /\/withdraw$/);
  await person.look('withdraw-error');
  await person.cameBack('withdrawing without a reason', 'withdraw-reason');
  const reason = combo.t('已经在别处提过了。', 'I have said it elsewhere already.');
  await person.at('#withdraw-reason').fill(reason);
  await person.press('#withdraw form > button', new RegExp(`/case/${number}$`));
  combo.has(await person.text(), combo.t('撤回', 'ithdrawn'), 'withdrawn');
  combo.has(await person.text('.timeline'), reason, 'the reason is in the history');
  combo.equal(await person.at('#withdraw').count(), 0, 'what is withdrawn can not be withdrawn again');
  await person.look('withdrawn');
  await person.press('form[action="/case/leave"] button', /^\/$/);
  await person.go(`/case/${number}`);
  combo.equal(person.path(), '/case', 'a case that was closed on this device');
}

// Filing step by step, with each step's faults first.
async function file(combo, person, matter, photos) {
  await person.go('/');
  await person.press('.door >> nth=0', /\/submit\/appeal\/what$/);
  await person.look('what');
  await person.choose('category', 'street_lights');
  await person.press('.go button', /\/what$/);
  await person.look('what-error');
  await person.cameBack('nothing written', 'text');
  combo.ok(await person.at('input[value=street_lights]').isChecked(), 'the chosen category is kept');
  await person.at('#text').fill(matter.text);
  await person.at('#photo').setInputFiles({ name: 'list.txt', mimeType: 'text/plain', buffer: Buffer.from('no photo') });
  await person.press('.upload button', /\/what$/);
  await person.look('what-no-photo');
  await person.cameBack('a text file as a photo', 'photo');
  combo.equal(await person.at('#text').inputValue(), matter.text, 'the words are kept');
  combo.ok(saysWhere(photos.before.buffer), 'the photo says where it was taken');
  await person.at('#photo').setInputFiles([photos.before, photos.after]);
  await person.press('.upload button', /\/what$/);
  combo.equal(await person.at('.photos.edit li').count(), 2, 'photos that wait');
  combo.ok(!saysWhere(await bytesOf(person, '.photos img')), 'the waiting photo does not say where it was taken');
  await person.look('what-photos');
  await person.press('.photos.edit li:nth-child(2) button', /\/what$/);
  combo.equal(await person.at('.photos.edit li').count(), 1, 'photos after one was removed');
  await person.press('.go button', /\/where$/);
  await person.look('where');
  await person.at('#place').fill(matter.where);
  await person.press('.go button', /\/where$/);
  await person.look('where-error');
  await person.cameBack('no street chosen', 'street');
  combo.equal(await person.at('#place').inputValue(), matter.where, 'the place is kept');
  await place(person, matter.where);
  await person.look('where-community');
  await person.press('.go button', /\/contact$/);
  await person.look('contact');
  await person.at('#phone').fill('12');
  await person.at('#name').fill(matter.name);
  await person.press('.go button', /\/contact$/);
  await person.look('contact-error');
  await person.cameBack('a phone number that is none', 'phone');
  combo.equal(await person.at('#name').inputValue(), matter.name, 'the name is kept');
  combo.equal(await person.at('#phone').inputValue(), '12', 'the phone number is kept');
  await person.at('#phone').fill(matter.phone);
  await person.press('.go button', /\/check$/);
  await person.look('check');
  const check = await person.text();
  for (const words of [matter.text, matter.where, matter.name, matter.phone]) combo.has(check, words, 'the answers to check');

  const form = await hidden(person, 'form[action="/submit/appeal/check"]');
  await person.at('.go button').dblclick({ noWaitAfter: true });
  await person.page.waitForURL(/\/submitted\//);
  const keys = await keysOf(person);
  combo.ok(/^\d{12}$/.test(keys.number), 'the number has 12 digits');
  combo.equal(keys.secret?.replace(/[^A-Za-z0-9]/g, '').length, 24, 'the secret has 24 letters and digits');
  combo.ok((await person.at('.track .by').count()) >= 3, 'the confirmation says by when');
  await person.look('submitted');
  const again = await post(person, '/submit/appeal/check', form);
  combo.equal(again.status(), 303, 'the form sent once more');
  combo.ok(again.headers().location?.startsWith(`/submitted/${keys.number}`), 'the form sent once more leads to the same case');
  return keys;
}

// The same matter from the same phone, by somebody without the secret.
async function joins(combo, matter, keys) {
  const person = await combo.person('joining');
  await write(person, { ...matter, text: combo.t('路灯还是不亮。', 'The lamps are still out.') });
  await person.press('.go button', new RegExp(`/submitted/${keys.number}$`));
  const shown = await keysOf(person);
  combo.equal(shown.number, keys.number, 'the second filing joins the first');
  combo.equal(shown.secret, null, 'the secret is not told');
  combo.ok(!(await person.page.content()).includes(keys.secret), 'the secret is nowhere on the page');
  await person.look('joined');
  await person.go(`/case/${keys.number}`);
  combo.equal(person.path(), '/case', 'a case whose secret was not shown');
}

async function lookUp(combo, person, keys, matter) {
  await person.go('/');
  await person.at('#number').fill('123');
  await person.press('form.lookup button', /^\/(case)?$/);
  await person.cameBack('a number that is none', 'number');
  combo.equal(await person.at('#number').inputValue(), '123', 'the number is kept');
  await person.go('/case');
  await person.look('follow');
  await person.at('#number').fill(keys.number);
  await person.at('#secret').fill('aaaa-bbbb-cccc-dddd-eeee-ffff');
  await person.press('form.lookup button', /^\/case$/);
  await person.look('follow-error');
  await person.cameBack('a secret of another case', 'number');
  await follow(person, keys);
  await person.look('case-submitted');
  const text = await person.text();
  combo.has(text, matter.where, 'the place');
  combo.has(text, matter.text, 'the words');
  combo.ok(!saysWhere(await bytesOf(person, '.photos img')), 'the served photo does not say where it was taken');
  await person.at('#supplement summary').click();
  const more = combo.t('物业说不归他们管。', 'The property company says it is not theirs.');
  await person.at('#supplement-words').fill(more);
  await person.press('#supplement form > button', new RegExp(`/case/${keys.number}$`));
  combo.has(await person.text('.timeline'), more, 'what was added');
}

// The cadre of the contact district finds it in the queue, accepts it and assigns it.
async function takeOn(combo, person, keys, matter) {
  await person.go('/staff');
  combo.equal(person.path(), '/staff/sign-in', 'staff pages ask who is there');
  await person.look('sign-in');
  // Nobody's name: wrong passwords for a real one would soon lock it for everybody.
  const nobody = `nobody-${digits(matter.phone)}`;
  await person.at('#login').fill(nobody);
  await person.at('#password').fill('not the password');
  await person.press('main form button', /\/sign-in$/);
  await person.look('sign-in-error');
  await person.cameBack('a wrong password', 'login');
  combo.equal(await person.at('#login').inputValue(), nobody, 'the sign-in is kept');
  await signIn(person, 'cadre');
  await person.look('queue');
  const row = () => person.at('.row', { hasText: matter.where });
  while (!(await person.at(`.row a[href="/staff/case/${keys.number}"]`).count()) && (await person.at('.pager a[rel=next]').count())) {
    await person.press('.pager a[rel=next]', /^\/staff$/);
  }
  combo.equal(await row().count(), 1, 'sent twice, it is in the queue of the contact district once');
  await person.go('/staff?stage=submitted&kind=appeal');
  await person.look('queue-filtered');
  await person.at('#q').fill(keys.number);
  await person.press('.search button', new RegExp(`/staff/case/${keys.number}$`));
  await person.look('staff-case-submitted');
  combo.has(await person.text('.call'), matter.phone.slice(-4), 'the contact cadre sees the phone number');
  await open(person, keys.number, 'accept');
  await send(person, 'accept', new RegExp(`/staff/case/${keys.number}$`));
  await person.look('staff-case-accepted');
  await open(person, keys.number, 'assign');
  combo.equal(await person.at('#assign-unit').inputValue(), '440304008-urban', 'the office of the category is proposed');
  await person.look('staff-case-assign');
  await send(person, 'assign', new RegExp(`/staff/case/${keys.number}$`));
}

// Two tabs of one person: what was typed in the second is not lost.
async function contact(combo, person, keys) {
  const second = await person.tab();
  await open(second, keys.number, 'follow-up');
  const typed = combo.t('约好周四上午看现场。', 'We meet on site on Thursday morning.');
  await second.choose('kind', 'progress');
  await second.at('#follow-up-words').fill(typed);
  await open(person, keys.number, 'follow-up');
  await send(person, 'follow-up', /\/follow-up$/);
  await person.look('follow-up-error');
  await person.cameBack('nobody says whether the resident was reached', 'follow-up-reached');
  await person.choose('kind', 'contact');
  await person.choose('reached', 'yes');
  await person.at('#follow-up-words').fill(combo.t('已电话联系,情况属实。', 'Talked on the phone, it is as described.'));
  await send(person, 'follow-up', new RegExp(`/staff/case/${keys.number}$`));
  await send(second, 'follow-up', /\/follow-up$/);
  combo.equal(await second.at('#typed-words').inputValue(), typed, 'the words typed in the other tab');
  await second.look('conflict');
  await second.press('main .go button', new RegExp(`/staff/case/${keys.number}$`));
  combo.has(await second.text('.timeline'), typed, 'sent all the same');
  await second.page.close();
}

// One request for papers, and no second one.
async function papers(combo, cadre, resident, keys) {
  await open(cadre, keys.number, 'materials');
  await send(cadre, 'materials', /\/materials$/);
  await cadre.cameBack('no paper chosen', 'materials-items');
  await cadre.choose('items', 'identity');
  await cadre.at('#materials-words-identity').fill(combo.t('正面即可', 'The front is enough'));
  await cadre.look('staff-case-materials');
  await send(cadre, 'materials', new RegExp(`/staff/case/${keys.number}$`));
  await cadre.look('staff-case-awaiting');
  await resident.go(`/case/${keys.number}`);
  await resident.look('case-materials');
  await resident.press('#materials form > button', /\/materials$/);
  await resident.look('case-materials-error');
  await resident.cameBack('nothing handed over', 'materials-words');
  await resident.at('#materials-identity').fill(combo.t('身份证在手机里,已口头核对。', 'Shown on the phone.'));
  await resident.press('#materials form > button', new RegExp(`/case/${keys.number}$`));
  combo.equal(await resident.at('#materials').count(), 0, 'papers are asked for once');
  await resident.look('case-handling');

  await open(cadre, keys.number, 'materials');
  combo.ok((await cadre.text('#act-materials .refused')).length > 10, 'a second request is refused in words');
  await cadre.look('staff-case-refused');
  const form = { ...(await hidden(cadre, '#act-follow-up form')), items: 'lease' };
  const second = await post(cadre, `/staff/case/${keys.number}/materials`, form);
  combo.ok([409, 422].includes(second.status()), `a second request sent all the same comes with ${second.status()}`);
  combo.has(await second.text(), combo.t('材料', 'Papers were requested once already'), 'a second request sent all the same');
  await resident.go(`/case/${keys.number}`);
  combo.equal(await resident.at('#materials').count(), 0, 'the resident is asked for nothing twice');
}

// What stands in the bar of the staff pages is there for everybody who sees it.
async function waysLead(combo, person) {
  const ways = await person.at('.staffnav a').evaluateAll((links) => links.map((link) => link.getAttribute('href')));
  for (const way of ways) combo.equal(await person.go(way), 200, `${person.name} at ${way}`);
}

async function result(combo, person, keys, photos, first) {
  await person.go('/staff');
  await person.at(`.row a[href="/staff/case/${keys.number}"]`).waitFor();
  await open(person, keys.number, 'result');
  const words = first
    ? combo.t('已更换控制器,三盏灯恢复照明。', 'The controller was replaced and the three lamps are lit.')
    : combo.t('第四盏灯的电缆已重新敷设,现在全部亮了。', 'The cable of the fourth lamp was laid anew. All of them are lit.');
  await person.at('#result-words').fill(words);
  if (first) {
    await send(person, 'result', /\/result$/);
    await person.look('result-error');
    await person.cameBack('no photo afterwards', 'result-place_proof');
    combo.equal(await person.at('#result-words').inputValue(), words, 'the result is kept');
  }
  await person.at('#result-place_proof').setInputFiles(photos.after);
  if (first) await person.look('staff-case-result');
  await send(person, 'result');
  await person.go(`/staff/case/${keys.number}`);
  await person.look(first ? 'staff-case-result-given' : 'staff-case-result-again');
}

async function notSolved(combo, person, keys) {
  await person.go(`/case/${keys.number}`);
  await person.look('case-result');
  combo.ok(!saysWhere(await bytesOf(person, '.result .photos img')), 'the photo afterwards does not say where it was taken');
  await person.choose('verdict', 'not_solved');
  await person.choose('score', '2');
  await person.press('#rate form > button', /\/rate$/);
  await person.look('rate-error');
  await person.cameBack('not solved without a reason', 'rate-reason');
  combo.ok(await person.at('input[name=score][value="2"]').isChecked(), 'the score is kept');
  const reason = combo.t('第四盏还是不亮。', 'The fourth lamp is still out.');
  await person.at('#rate-reason').fill(reason);
  await person.press('#rate form > button', new RegExp(`/case/${keys.number}$`));
  combo.has(await person.text('.timeline'), reason, 'the reason for doing it again');
  await person.look('case-reopened');
}

async function solved(combo, person, keys) {
  await person.go(`/case/${keys.number}`);
  await person.choose('verdict', 'solved');
  await person.choose('score', '5');
  await person.press('#rate form > button', new RegExp(`/case/${keys.number}$`));
  combo.equal(await person.at('#rate').count(), 0, 'it is rated once');
  combo.has(await person.text('.now-status'), combo.t('办结', 'Closed'), 'the end');
  await person.look('case-closed');
}

async function board(combo, person, start, keys) {
  const end = await figures(person);
  await person.go('/staff/board');
  await person.look('board');
  const moved = Object.fromEntries(Object.keys(end).map((figure) => [figure, end[figure] - start[figure]]));
  const wanted = { closed: 1, closed_run_once: 1, reopened: 1, asked: 1, rated: 1, solved: 1, satisfied: 1, open: 0 };
  for (const [figure, by] of Object.entries(wanted)) combo.equal(moved[figure], by, `the board's ${figure} has moved by`);
  for (const figure of ['closed', 'reopened', 'solved']) {
    const { said, numbers } = await countBehind(person, figure);
    combo.equal(said, end[figure], `the number above the list of ${figure}`);
    combo.equal(numbers.size, end[figure], `the rows of the list of ${figure}`);
    combo.ok(numbers.has(keys.number), `the case is in the list of ${figure}`);
  }
  await person.go('/staff/board/cases?figure=open');
  await person.look('board-list');
  await person.go('/staff/board?kind=appeal&area=440304');
  await person.look('board-filtered');
  await person.go(`/staff/case/${keys.number}`);
  await person.look('staff-case-closed');
  await person.go('/staff');
  await person.look('queue-supervisor');
}

// A clerk files for somebody at the counter, then leaves.
async function counter(combo, run) {
  const person = await combo.person('clerk');
  await signIn(person, 'clerk');
  await person.press('.staffnav a[href^="/staff/file"]', /\/staff\/file\/appeal$/);
  await person.look('file');
  const text = combo.t(`公共洗手间的扶手松了。(${run})`, `The handrail of the public toilet is loose. (${run})`);
  await person.at('#text').fill(text);
  await person.press('.go button', /\/file\/appeal$/);
  await person.look('file-error');
  await person.cameBack('no phone number', 'phone');
  combo.equal(await person.at('#errors a[href="#category"]').count(), 1, 'all that is missing is told at once');
  combo.equal(await person.at('#text').inputValue(), text, 'what the resident says is kept');
  await person.at('#category').selectOption('roads');
  await place(person, combo.t(`莲花路公厕 ${run}`, `Toilet on Lianhua Road ${run}`));
  await person.at('#phone').fill(`137${run}`);
  await person.press('.go button', /\/file\/appeal$/);
  const keys = await keysOf(person);
  combo.ok(keys.number && keys.secret, 'the clerk hands over number and secret');
  const cookies = (await person.context.cookies()).map((cookie) => cookie.name);
  combo.ok(!cookies.some((name) => name.endsWith('follow')), "the clerk's browser does not follow the resident's case");
  await person.look('file-submitted');
  combo.equal(await person.go('/staff/board'), 403, 'the board is not for clerks');
  await person.look('forbidden');
  await person.go('/staff');
  await person.press('.who button', /\/sign-in$/);
  await person.go(`/staff/case/${keys.number}`);
  combo.equal(person.path(), '/staff/sign-in', 'signed out');
  combo.equal(digits(new URL(person.page.url()).searchParams.get('next') ?? ''), keys.number, 'the way back is kept');
}

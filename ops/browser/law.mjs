// What happens beside the plain road: cases that are handled together, pauses, promises, supervision and reviews.
import { keysOf, open, send, signIn, write } from './pages.mjs';

export async function law(combo, n) {
  const run = `${Date.now().toString().slice(-7)}${n}`;
  const t = combo.t.bind(combo);
  const matter = {
    phone: `136${run}`,
    category: 'roads',
    where: t(`景田路 ${run} 号门前`, `In front of ${run} Jingtian Road`),
    text: t(`人行道地砖 ${run} 处塌陷,轮椅过不去。`, `The pavement at ${run} has sunk in, wheelchairs can't pass.`),
  };
  const resident = await combo.person('first');
  await write(resident, matter);
  await resident.press('.go button', /\/submitted\//);
  const keys = await keysOf(resident);
  const other = await combo.person('second');
  const theirs = await reportsTheSame(combo, other, { ...matter, phone: `135${run}` });
  const cadre = await combo.person('cadre');
  await signIn(cadre, 'cadre');
  await handledTogether(combo, cadre, keys, theirs);
  await pause(combo, cadre, resident, keys);
  const supervisor = await combo.person('supervisor');
  await signIn(supervisor, 'supervisor');
  await supervise(combo, supervisor, keys);
  await promise(combo, cadre, resident, keys);
  await answeredToo(combo, other, theirs);
  const district = await combo.person('district');
  await signIn(district, 'supervisor-futian');
  await reviews(combo, resident, [district, supervisor], keys);
  await filedAgain(combo, matter);
}

const caseOf = ({ number }) => new RegExp(`/case/${number}$`);

// Somebody else reports the same, is told so, and has it handled with the first.
async function reportsTheSame(combo, person, matter) {
  await write(person, matter);
  const told = person.at('.like-this input[name=with]');
  combo.ok((await told.count()) >= 2, 'the open case is told of before the second is sent');
  combo.ok(await told.first().isChecked(), 'nothing is chosen for the resident');
  combo.ok(!(await person.text('.like-this')).includes(matter.where), 'the exact place of the other case is not told');
  await person.look('check-like-this');
  await person.at('.like-this label').nth(1).click();
  await person.press('.go button', /\/submitted\//);
  const keys = await keysOf(person);
  combo.ok(keys.secret, 'a case of their own, with its secret');
  combo.has(await person.text(), combo.t('一起办', 'handled together'), 'it is handled together');
  await person.look('submitted-with-another');
  await person.go(`/case/${keys.number}`);
  await person.look('case-merged');
  return keys;
}

// Staff take the two apart, and put them together again from the suggestion.
async function handledTogether(combo, person, lead, member) {
  await person.go(`/staff/case/${lead.number}`);
  const facts = person.at('.facts a');
  const numbers = (await facts.allInnerTexts()).map((text) => text.replace(/\D/g, ''));
  combo.ok(numbers.includes(member.number), 'the case names the one that is handled with it');
  await person.look('staff-case-lead');
  await open(person, member.number, 'unmerge');
  await person.at('#unmerge-reason').fill(combo.t('先到现场核实。', 'To be looked at on site first.'));
  await person.look('staff-case-unmerge');
  await send(person, 'unmerge', caseOf(member));
  await person.look('staff-case-duplicates');
  await person.press(`.row-merge a[href*="into=${lead.number}"]`, caseOf(member));
  combo.equal((await person.at('#merge-into').inputValue()).replace(/\D/g, ''), lead.number, 'the form is filled in');
  await send(person, 'merge', /\/merge$/);
  await person.look('merge-error');
  await person.cameBack('merged without a reason', 'merge-reason');
  await person.at('#merge-reason').fill(combo.t('核实是同一处塌陷。', 'It is the same pavement.'));
  await send(person, 'merge', caseOf(member));
  combo.equal(await person.at('#act-unmerge').count(), 1, 'merged again');
  await open(person, lead.number, 'accept');
  await send(person, 'accept', caseOf(lead));
  await open(person, lead.number, 'assign');
  await send(person, 'assign', caseOf(lead));
  await open(person, lead.number, 'joint');
  await person.look('staff-case-joint');
  await person.at('#joint-units label').first().click();
  await person.at('#joint-reason').fill(combo.t('要先迁移电缆。', 'A cable has to be moved first.'));
  await send(person, 'joint', caseOf(lead));
}

async function pause(combo, cadre, resident, keys) {
  await open(cadre, keys.number, 'law-pause');
  await cadre.at('#law-pause-kind').selectOption('expert');
  const notice = combo.t('请专家评估路基,评估期间不计时。', 'An expert looks at the roadbed; that time is not counted.');
  await cadre.at('#law-pause-notice').fill(notice);
  await cadre.look('staff-case-pausing');
  await send(cadre, 'law-pause', caseOf(keys));
  await resident.go(`/case/${keys.number}`);
  combo.has(await resident.text('.timeline'), notice, 'the resident reads why the clocks stand still');
  await resident.look('case-law-pause');
  await open(cadre, keys.number, 'law-pause-end');
  await send(cadre, 'law-pause-end', caseOf(keys));
  await resident.go(`/case/${keys.number}`);
  for (const proof of await resident.at('.proof summary').all()) await proof.click();
  combo.ok((await resident.at('.proof li').count()) > 3, 'each date says why it falls then');
  await resident.look('case-proof');
}

async function supervise(combo, person, keys) {
  await person.go('/staff?escalated=1');
  await person.look('queue-escalated');
  await open(person, keys.number, 'urge');
  await person.at('#urge-words').fill(combo.t('请本周内完成。', 'Please finish this week.'));
  await person.look('staff-case-urge');
  await send(person, 'urge', caseOf(keys));
  await open(person, keys.number, 'extend');
  await person.at('#extend-days').fill('10');
  await send(person, 'extend', /\/extend$/);
  await person.cameBack('extended without a reason', 'extend-reason');
  await person.at('#extend-reason').fill(combo.t('路基要重做。', 'The roadbed has to be made anew.'));
  await send(person, 'extend', caseOf(keys));
  await person.look('staff-case-extended');
}

async function promise(combo, cadre, resident, keys) {
  await open(cadre, keys.number, 'result');
  combo.equal(await cadre.at('#act-result .notice').count(), 1, 'who writes the result is told that others read it');
  await cadre.at('#result-words').fill(combo.t('塌陷处已填平。', 'The hole is filled.'));
  await cadre.at('#result-why_no_photo').fill(combo.t('下雨,看不清。', 'It rained, nothing to see.'));
  await cadre.at('#result-promise').fill(combo.t('重新铺砖', 'New paving stones'));
  await cadre.at('#result-promise_by').fill(new Date(Date.now() + 9 * 86_400_000).toISOString().slice(0, 10));
  await cadre.look('staff-case-promise');
  await send(cadre, 'result', caseOf(keys));
  await resident.go(`/case/${keys.number}`);
  await resident.look('case-promised');
  await open(cadre, keys.number, 'keep-promise');
  await cadre.at('#keep-promise-words').fill(combo.t('新砖已铺好。', 'The new stones are laid.'));
  await send(cadre, 'keep-promise', caseOf(keys));
}

// The service answers the other one when the first is answered.
async function answeredToo(combo, person, keys) {
  for (let looks = 0; looks < 200; looks += 1) {
    await person.go(`/case/${keys.number}`);
    if (await person.at('.result').count()) break;
  }
  combo.has(await person.text('.result'), combo.t('塌陷处已填平', 'The hole is filled'), 'the answer under the other number');
  await person.look('case-answered-together');
}

// Of the two second looks the second is taken by somebody else.
async function reviews(combo, resident, [first, second], keys) {
  for (const [level, supervisor, words] of [
    ['review', first, combo.t('维持原处理意见。', 'The result stands.')],
    ['final-review', second, combo.t('复核维持,终结。', 'The final review upholds it.')],
  ]) {
    await resident.go(`/case/${keys.number}`);
    await resident.press('#review form > button', /\/review$/);
    await resident.cameBack(`${level} without a reason`, 'review-reason');
    await resident.at('#review-reason').fill(combo.t('只填了一半。', 'Only half of it was filled.'));
    await resident.look(`case-asks-${level}`);
    await resident.press('#review form > button', caseOf(keys));
    await resident.look(`case-under-${level}`);
    await open(supervisor, keys.number, 'decide-review');
    await supervisor.at('#decide-review-decision').selectOption('upheld');
    await supervisor.at('#decide-review-words').fill(words);
    await supervisor.look(`staff-case-${level}`);
    await send(supervisor, 'decide-review', caseOf(keys));
    await resident.go(`/case/${keys.number}`);
    combo.has(await resident.text('.timeline'), words, `what the ${level} came to`);
  }
  await resident.look('case-concluded');
}

// The same matter again: taken where something is new, and asked for that.
async function filedAgain(combo, matter) {
  const person = await combo.person('again');
  await write(person, matter);
  await person.press('.go button', /\/check$/);
  await person.look('what-new-fact');
  await person.cameBack('filed again after its final review', 'new_fact');
  combo.equal(await person.at('#text').inputValue(), matter.text, 'the words are kept');
  await person.at('#new_fact').fill(combo.t('昨晚又塌了一块。', 'Another piece sank in last night.'));
  await person.press('.go button', /\/where$/);
  await person.press('.go button', /\/contact$/);
  await person.press('.go button', /\/check$/);
  combo.has(await person.text(), combo.t('昨晚又塌了一块', 'Another piece sank in'), 'what is new is among the answers');
  await person.press('.go button', /\/submitted\//);
  combo.ok((await keysOf(person)).secret, 'it is taken');
}

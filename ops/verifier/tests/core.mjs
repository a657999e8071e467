// The core of verify.html without a browser: the document's values, the primitives against Node's own, and every case
// that test_verify.py wrote, with the same verdict, step and reason: `node core.mjs cases.jsonl`.
import assert from 'node:assert/strict';
import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync, randomBytes, sign, webcrypto } from 'node:crypto';
import { readFileSync } from 'node:fs';
import vm from 'node:vm';
import { block, file } from './policy.mjs';

const html = readFileSync(file, 'utf8');
const vectors = JSON.parse(readFileSync(new URL('../../docs/evidence/vectors.json', import.meta.url), 'utf8'));
const NAMES = 'checkReceipt, ownSha, signatureHolds, pathLeads, readKey, readHead, checkHead, readReceipt, eventHash, leafHash, microseconds, hex, encode64, usablePoint';

// A fresh copy of the core, with or without the browser's cryptography.
function core(crypto) {
  const globals = { crypto, atob, btoa, TextEncoder, TextDecoder };
  globals.globalThis = globals;
  return vm.runInNewContext(`${block(html, 'core')}\n({ ${NAMES} })`, globals);
}

const plain = core(undefined);
const withCrypto = core(webcrypto);
const fromHex = (text) => Uint8Array.from(Buffer.from(text, 'hex'));
let failed = false;

async function test(name, run) {
  const started = Date.now();
  try {
    const checks = await run();
    assert.ok(checks > 0, 'nothing was checked');
    console.log(`  ok  verify.html, ${name}: ${checks} checks (${((Date.now() - started) / 1000).toFixed(1)} s)`);
  } catch (error) {
    failed = true;
    console.log(`FAIL  verify.html, ${name}: ${error.stack}`);
  }
}

await test('the document’s values', async () => {
  let checks = 0;
  const same = (found, wanted, what) => {
    assert.deepEqual(found, wanted, what);
    checks += 1;
  };
  for (const one of [plain, withCrypto]) {
    const key = await one.readKey(vectors.signing.verifier_key);
    same(one.hex(key.publicKey), vectors.signing.public_key);
    same(one.hex(key.keyId), vectors.signing.key_id);
    for (const event of vectors.events) {
      const receipt = one.readReceipt(JSON.stringify({ format: 'onetrip-receipt/1', event: event.event, leaf: event.leaf, proof: null, key: key.text }));
      const hashed = await one.eventHash(receipt);
      same(one.encode64(hashed), event.event_hash);
      same(receipt.recordedAt, BigInt(event.recorded_at_microseconds));
      same(one.encode64(await one.leafHash(receipt, hashed)), event.leaf);
    }
    const { leaf_hashes: leaves, roots_by_size: roots, paths } = vectors.tree;
    for (const { index, size, path } of paths) {
      const leads = (at, nodes) => one.pathLeads(BigInt(at), BigInt(size), fromHex(leaves[index]), nodes.map(fromHex), fromHex(roots[size]));
      same(await leads(index, path), true, `path of ${index} in ${size}`);
      same(await leads(index + 1, path), false, `path of ${index} in ${size} at the wrong place`);
      same(await leads(index, [...path, roots[0]]), false, `path of ${index} in ${size} made longer`);
    }
    for (const { note } of vectors.heads) {
      await one.checkHead(one.readHead(note), key);
      checks += 1;
    }
    const verdict = async (receipt) => (await one.checkReceipt(JSON.stringify(receipt), key.text)).state;
    for (const receipt of vectors.receipts.good) same(await verdict(receipt), 'proved');
    for (const receipt of vectors.receipts.not_sealed) same(await verdict(receipt), 'not-sealed');
    for (const { why, receipt } of vectors.receipts.bad) same(await verdict(receipt), 'refused', why);
  }
  return checks;
});

await test('SHA-256 and SHA-512', async () => {
  let checks = 0;
  for (const size of [256, 512]) {
    for (let length = 0; length < 300; length += 1) {
      const message = randomBytes(length);
      assert.equal(plain.hex(plain.ownSha(size, message)), createHash(`sha${size}`).update(message).digest('hex'), `${size}, ${length} bytes`);
      checks += 1;
    }
  }
  return checks;
});

await test('Ed25519 against OpenSSL', async () => {
  let checks = 0;
  for (let n = 0; n < 40; n += 1) {
    const { publicKey, privateKey } = generateKeyPairSync('ed25519');
    const raw = new Uint8Array(publicKey.export({ format: 'der', type: 'spki' }).subarray(-32));
    const message = new Uint8Array(randomBytes(n * 5));
    const signature = new Uint8Array(sign(null, message, privateKey));
    assert.equal(await plain.signatureHolds(raw, signature, message), true);
    assert.equal(await withCrypto.signatureHolds(raw, signature, message), true);
    for (const part of [raw, signature]) {
      const at = randomBytes(1)[0] % part.length;
      part[at] ^= 1 << (n % 8);
      assert.equal(await plain.signatureHolds(raw, signature, message), false);
      part[at] ^= 1 << (n % 8);
    }
    checks += 4;
  }
  // Improperly written points: y of the field's size or more, and a sign where x is 0.
  const P = 2n ** 255n - 19n;
  const written = (number) => Uint8Array.from({ length: 32 }, (_, i) => Number((number >> BigInt(8 * i)) & 255n));
  for (let y = P; y < 2n ** 255n; y += 1n) {
    for (const sign of [0n, 1n << 255n]) {
      assert.equal(plain.usablePoint(written(y | sign)), null, `y = ${y}`);
      checks += 1;
    }
  }
  // A browser that finds against a signature is heeded, one that knows no Ed25519 is not asked.
  const { note: text } = vectors.heads[0];
  const subtle = { digest: webcrypto.subtle.digest.bind(webcrypto.subtle), importKey: async () => ({}), verify: async () => false };
  const without = { ...subtle, importKey: async () => Promise.reject(new Error('unknown algorithm')) };
  for (const [given, wanted] of [[subtle, false], [without, true]]) {
    const one = core({ subtle: given });
    const { publicKey } = await one.readKey(vectors.signing.verifier_key);
    const head = one.readHead(text);
    assert.equal(await one.signatureHolds(publicKey, head.signature, new TextEncoder().encode(head.text)), wanted);
    checks += 1;
  }
  // The document's heads, signed anew from its seed.
  const seed = Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), Buffer.from(vectors.signing.seed, 'hex')]);
  const privateKey = createPrivateKey({ key: seed, format: 'der', type: 'pkcs8' });
  assert.equal(createPublicKey(privateKey).export({ format: 'der', type: 'spki' }).subarray(-32).toString('hex'), vectors.signing.public_key);
  for (const { note } of vectors.heads) {
    const head = plain.readHead(note);
    assert.deepEqual([...head.signature], [...sign(null, Buffer.from(head.text), privateKey)]);
    checks += 1;
  }
  return checks;
});

const casesFile = process.argv[2];
if (casesFile) {
  await test('the same cases as verify.py', async () => {
    const cases = readFileSync(casesFile, 'utf8').trim().split('\n').map((line) => JSON.parse(line));
    const states = {};
    for (const [n, { text, key, step, code, why, number }] of cases.entries()) {
      // The byte order mark is taken off where the page reads a file.
      // With the browser's cryptography beside ours, a fault of ours in signatures would go unseen.
      const one = n % 20 === 0 || /signature|signed by|S plus|S negative|of small order|^key/.test(why) ? plain : withCrypto;
      const found = await one.checkReceipt(text.replace(/^\ufeff/, ''), key);
      const wanted = code === 'proved' ? null : step;
      assert.deepEqual([found.step, found.code], [wanted, code], `${why}: ${found.about}\n${text.slice(0, 4000)}`);
      if (number !== undefined) assert.equal(found.number, number, `number in ${text}`);
      states[found.state] = (states[found.state] ?? 0) + 1;
    }
    assert.ok(states.proved > 100 && states['not-sealed'] > 10 && states.refused > 3000, JSON.stringify(states));
    return cases.length;
  });
}
process.exitCode = failed ? 1 : 0;

// Runs the app's own code on what comes in as JSON, and answers the same lists: folds → documents, prints → checks,
// clocks → clocks, lives → what a device's disk holds after each answer, counts → which allergies count.
import { createRequire, registerHooks } from 'node:module';
import { json } from 'node:stream/consumers';
import { pathToFileURL } from 'node:url';

// The app's modules name each other without an ending, as Vite reads them.
registerHooks({
  resolve: (name, context, next) =>
    next(name.startsWith('.') && !/\.\w+$/.test(name) ? `${name}.ts` : name, context),
});
const APP = new URL('../../../pwa/', import.meta.url);
const theirs = createRequire(new URL('package.json', APP));
await import(pathToFileURL(theirs.resolve('fake-indexeddb/auto')));

const { fold, fingerprint } = await import(new URL('src/offline/view.ts', APP));
const { receive, send } = await import(new URL('src/offline/hlc.ts', APP));
const { keysOf } = await import(new URL('src/offline/database.ts', APP));
const { Store } = await import(new URL('src/offline/store.ts', APP));
const { Intake } = await import(new URL('src/offline/intake.ts', APP));
const { basis } = await import(new URL('src/offline/proposals.ts', APP));
const { activeOf, openConflict, versionSeen } = await import(
  new URL('src/supporter/medication/conflict.ts', APP)
);
const { whatCounts } = await import(new URL('src/meals/allergy.ts', APP));

const { folds, prints, clocks, lives, counts } = await json(process.stdin);
const waiting = (op, n, by) => ({ space: op.space, n, op, at: 0, seq: null, parked: false, by });

/** A device that has written `ops` and hears what `steps` tell it: a page of rows, or the answer to a push. */
async function live({ device, space, ops, steps, recs, proposed }, number) {
  const store = new Store(`d${number}`, Math.random);
  const intake = new Intake(store.database);
  await store.database.write(['meta', 'outbox'], async (tx) => {
    await tx.objectStore('meta').put({ device, actor: device.replaceAll('-', '').slice(16) }, 'identity');
    await tx.objectStore('meta').put({ account: 'me' }, 'author');
    for (const op of ops) await tx.objectStore('outbox').add(waiting(op, op.n, 'me'));
  });
  await intake.admit([{ id: space, role: 'caregiver', permissions: [] }]);
  const seen = [];
  for (const { rows, asked, cursor, answer } of steps) {
    if (answer) await intake.settle(answer, 1);
    else await intake.take(space, asked, rows, cursor, 1);
    seen.push(await held(store, space, recs, proposed));
  }
  await store.close();
  return seen;
}

/** The version that a screen would show to go on from, were it opened now. */
function seen(base, waiting, rec) {
  const row = base.find((each) => each.rec === rec);
  const active = activeOf(row);
  const conflicts = base.filter(({ coll }) => coll === 'conflict');
  const conflict = openConflict(conflicts, { coll: row?.coll, rec, active });
  const own = waiting.filter(({ op }) => op.k === 'safety' && op.rec === rec).map(({ op }) => op);
  return versionSeen({ waiting: own, conflict, active }, 'me');
}

async function held(store, space, recs, proposed) {
  const { base, waiting } = await store.look(space, null);
  const rest = await store.database.read(['acked', 'refused', 'meta'], async (tx) => ({
    ring: (await tx.objectStore('acked').getAllKeys(keysOf(space))).map(([, n]) => n),
    refused: (await tx.objectStore('refused').getAll()).map(({ op }) => op).sort(),
    lost: ((await tx.objectStore('meta').get(`lost/${space}`)) ?? []).flatMap(([first, last]) =>
      Array.from({ length: last - first + 1 }, (_, i) => first + i),
    ),
    clock: (await tx.objectStore('meta').get('hlc')) ?? '',
  }));
  const stores = ['meta', 'base', 'outbox'];
  return {
    ...rest,
    outbox: waiting.map(({ n, seq }) => [n, seq]),
    starts: await Promise.all(
      proposed.map((rec) => store.database.read(stores, basis(space, rec, seen(base, waiting, rec)))),
    ),
    shows: recs.map((rec) => {
      const row = base.find((each) => each.rec === rec);
      const own = waiting.filter(({ op }) => (op.k === 'event' ? op.op : op.rec) === rec);
      return fold(row, own)?.doc ?? null;
    }),
  };
}

process.stdout.write(
  JSON.stringify({
    folds: folds.map(
      ({ base, ops, by }) => fold(base ?? undefined, ops.map((op, i) => waiting(op, i + 1, by)))?.doc ?? null,
    ),
    prints: prints.map(fingerprint),
    clocks: clocks.map(({ last, remote, now, actor }) =>
      remote === null ? send(last, now, actor) : receive(last, remote, now, actor),
    ),
    lives: await Promise.all(lives.map(live)),
    counts: counts.map(({ allergies, lowerings }) => whatCounts(allergies, lowerings)),
  }),
);

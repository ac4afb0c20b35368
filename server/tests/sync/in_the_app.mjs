// Runs the app's own fold, fingerprint and clock on what comes in: {folds, prints, clocks} as JSON.
// Answers the same three lists: documents, checks, clocks.
import { registerHooks } from 'node:module';
import { json } from 'node:stream/consumers';

// The app's modules name each other without an ending, as Vite reads them.
registerHooks({
  resolve: (name, context, next) =>
    next(name.startsWith('.') && !/\.\w+$/.test(name) ? `${name}.ts` : name, context),
});

const { fold, fingerprint } = await import('../../../pwa/src/offline/view.ts');
const { receive, send } = await import('../../../pwa/src/offline/hlc.ts');

const { folds, prints, clocks } = await json(process.stdin);
const waiting = (op, i) => ({ space: op.space, n: i + 1, op, at: 0, seq: null, parked: false });
process.stdout.write(
  JSON.stringify({
    folds: folds.map(({ base, ops, by }) => fold(base ?? undefined, ops.map(waiting), by)?.doc ?? null),
    prints: prints.map(fingerprint),
    clocks: clocks.map(({ last, remote, now, actor }) =>
      remote === null ? send(last, now, actor) : receive(last, remote, now, actor),
    ),
  }),
);

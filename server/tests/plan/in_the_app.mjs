// Runs the app's own recurrence on what comes in: [{rule, from, to}] as JSON, times in ms since 1970.
// Answers, in the same order, the occurrences or what is wrong with the rule.
import { registerHooks } from 'node:module';
import { json } from 'node:stream/consumers';

// The app's modules name each other without an ending, as Vite reads them.
registerHooks({
  resolve: (name, context, next) =>
    next(name.startsWith('.') && !/\.\w+$/.test(name) ? `${name}.ts` : name, context),
});

const { checkRule, occurrences } = await import('../../../pwa/src/plan/recurrence.ts');

const answers = (await json(process.stdin)).map(({ rule, from, to }) => {
  const problem = checkRule(rule);
  return problem === null ? { occurrences: occurrences(rule, from, to) } : { problem };
});
process.stdout.write(JSON.stringify(answers));

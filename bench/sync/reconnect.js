// Runs in the page, beside the app's own files but without the app: looks into what the device keeps.
// The shape is that of pwa/src/offline/database.ts.
(() => {
  const WEEK_MS = 7 * 24 * 3600 * 1000;
  const ask = (request) =>
    new Promise((resolve, reject) => {
      request.onsuccess = () => resolve(request.result);
      request.onerror = () => reject(request.error);
    });
  const pause = () => new Promise((resolve) => setTimeout(resolve, 100));
  const hex = (value, width) => value.toString(16).padStart(width, '0');
  const stores = async (mode, ...names) => {
    const tx = (await ask(indexedDB.open('mos'))).transaction(names, mode);
    return names.map((name) => tx.objectStore(name));
  };

  /** The device's id, and the spaces of residents that it holds. */
  const held = async () => {
    const [meta, space] = await stores('readonly', 'meta', 'space');
    const identity = await ask(meta.get('identity'));
    const spaces = await ask(space.getAll());
    return {
      device: identity?.device,
      isWhole: spaces.length > 0 && spaces.every(({ cursor }) => cursor !== ''),
      spaces: spaces.filter(({ kind }) => (kind ?? 'resident') === 'resident').map(({ id }) => id),
    };
  };

  /** Resolves when all that there is has come. */
  const arrived = async () => {
    while (!(await held()).isWhole) await pause();
  };

  /** Write `count` changes as the app would have in a week without a network: four of five say that something is done. */
  const write = async (count) => {
    const { spaces } = await held();
    const [meta, outbox] = await stores('readwrite', 'meta', 'outbox');
    const { actor } = await ask(meta.get('identity'));
    const author = await ask(meta.get('author'));
    const begun = Date.now() - WEEK_MS;
    const numbers = new Map();
    for (const space of spaces) numbers.set(space, (await ask(meta.get(`n/${space}`))) ?? 0);
    for (let i = 0; i < count; i++) {
      const at = Math.floor(begun + (i * WEEK_MS) / count);
      const space = spaces[i % spaces.length];
      const n = numbers.get(space) + 1;
      const moment = new Date(at).toISOString();
      const occ = `${crypto.randomUUID()}@${moment.slice(0, 16)}`;
      const what =
        i % 5 === 0
          ? { k: 'set', coll: 'reminder', rec: crypto.randomUUID(), f: { title: `Frukost ${i}` } }
          : { k: 'event', coll: 'completion', v: { occ, at: moment, st: 'done' } };
      const op = { op: crypto.randomUUID(), n, space, hlc: `${hex(at, 12)}0000${actor}`, ...what };
      outbox.add({
        ...{ space, n, op, at, seq: null, parked: false },
        ...(author && { by: author.account, sid: author.sid }),
      });
      numbers.set(space, n);
    }
    for (const [space, n] of numbers) meta.put(n, `n/${space}`);
    await new Promise((resolve) => (outbox.transaction.oncomplete = resolve));
  };

  const counts = async () => {
    const [base, outbox] = await stores('readonly', 'base', 'outbox');
    const [rows, waiting] = await Promise.all([ask(base.count()), ask(outbox.count())]);
    return { rows, waiting };
  };

  /** Milliseconds from the page's start until nothing waits and at least `rows` records are here. */
  const settled = async (rows) => {
    for (;;) {
      const now = await counts().catch(() => ({ rows: 0, waiting: 1 }));
      if (now.waiting === 0 && now.rows >= rows) return performance.now();
      await pause();
    }
  };

  /** Tasks longer than 50 ms: when they began, and for how long; ms. */
  const tasks = [];
  new PerformanceObserver((list) => {
    for (const { startTime, duration } of list.getEntries()) tasks.push([startTime, duration]);
  }).observe({ type: 'longtask', buffered: true });

  /** How long the page has waited for answers to pushes, pulls and greetings, one after the other; ms. */
  const waited = () =>
    performance
      .getEntriesByType('resource')
      .filter(({ name }) => /\/sync\/v1\/(hello|push|pull|snapshot)/.test(name))
      .reduce((sum, { duration }) => sum + duration, 0);

  globalThis.bench = { held, arrived, write, counts, settled, tasks, waited };
})();

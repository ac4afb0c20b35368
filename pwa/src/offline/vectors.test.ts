import { describe, expect, it } from 'vitest';

import hlcVectors from '../../../spec/vectors/hlc.json';
import safetyVectors from '../../../spec/vectors/safety.json';
import mergeVectors from '../../../spec/vectors/merge.json';
import { receive, send } from './hlc';
import type { Op, WireRow } from './protocol';
import { fingerprint, fold, isProposal, type BaseRow, type Waiting } from './view';

describe('the clock and the merge are the server’s', () => {
  it.each(hlcVectors.send)('send: $name', ({ last, now_ms, actor, out }) => {
    expect(send(last, now_ms, actor)).toBe(out);
  });

  it.each(hlcVectors.receive)('receive: $name', ({ last, remote, now_ms, actor, out }) => {
    expect(receive(last, remote, now_ms, actor)).toBe(out);
  });

  it.each(hlcVectors.compare)('compare: $a $b', ({ a, b, order }) => {
    expect(a < b ? -1 : a > b ? 1 : 0).toBe(order);
  });

  it.each(mergeVectors.overlay)('overlay: $name', ({ base, pending, by, doc }) => {
    const row = base === null ? undefined : ({ space: 's', ...base } as unknown as BaseRow);
    const waiting = pending.map((op, i): Waiting => ({
      space: 's',
      n: i + 1,
      op: op as unknown as Op,
      at: 0,
      seq: null,
      parked: false,
      by,
    }));
    expect(fold(row, waiting)?.doc ?? null).toEqual(doc);
  });

  it.each(safetyVectors.cases)(
    'P10: $name: no pending op changes what is shown',
    ({ final, steps }) => {
      const base = (final.rows as unknown as WireRow[]).map(
        ([coll, rec, seq, doc, clk]): BaseRow => ({ space: 's', coll, rec, seq, doc, clk }),
      );
      const ops = steps.flatMap((step) => step.ops as unknown as Op[]).filter(isProposal);
      for (const rec of new Set(ops.map((op) => op.rec))) {
        const row = base.find((each) => each.rec === rec);
        const waiting = ops
          .filter((op) => op.rec === rec)
          .map((op, i): Waiting => ({ space: 's', n: i, op, at: 0, seq: null, parked: false }));
        expect(fold(row, waiting)?.doc).toEqual(row?.doc);
      }
    },
  );

  it.each(mergeVectors.fingerprint)('fingerprint: $name', ({ rows, check }) => {
    const held = rows.map(({ seq, deleted }) => ({ seq, doc: { deleted } }) as unknown as BaseRow);
    expect(fingerprint(held)).toEqual(check);
  });
});

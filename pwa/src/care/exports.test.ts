import { afterEach, describe, expect, it, vi } from 'vitest';
import { about, fetchFile, type Export } from './exports';

function asked(of: Partial<Export>): Export {
  return {
    id: 'e1',
    account: 'a1',
    space: null,
    asked_at: '2026-11-30T08:00:00Z',
    until: '2026-12-07T08:00:00Z',
    state: 'made',
    rows: 1,
    json_size: 1,
    pdf_size: 1,
    ...of,
  };
}

describe('what one has asked for', () => {
  const mine = asked({ id: 'mine', account: 'me' });
  const elsas = asked({ id: 'elsas', account: 'elsa', space: 's1' });

  it('is told of oneself and of each resident apart', () => {
    expect(about([elsas, mine], { space: null, account: 'me' })).toBe(mine);
    expect(about([elsas, mine], { space: 's1', account: 'me' })).toBe(elsas);
    expect(about([elsas, mine], { space: 's2', account: 'me' })).toBeNull();
  });

  it('is a resident’s own where they ask themselves, though it has their space', () => {
    expect(about([elsas], { space: null, account: 'elsa' })).toBe(elsas);
  });
});

describe('a file', () => {
  afterEach(() => vi.unstubAllGlobals());

  it('that is not given says why', async () => {
    vi.stubGlobal('fetch', () =>
      Promise.resolve(new Response('{"code":"not_made"}', { status: 409 })),
    );

    await expect(fetchFile('e1', 'pdf')).rejects.toMatchObject({ status: 409, code: 'not_made' });
  });

  it('that breaks off on its way is no file', async () => {
    const broken = new ReadableStream({
      start: (stream) => stream.error(new TypeError('network error')),
    });
    vi.stubGlobal('fetch', () => Promise.resolve(new Response(broken, { status: 200 })));

    await expect(fetchFile('e1', 'json')).rejects.toMatchObject({ code: 'offline' });
  });
});

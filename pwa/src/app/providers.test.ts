import { describe, expect, it } from 'vitest';

import { answerOf, errandOf } from './providers';

describe('what stands in the address that a provider leads back to', () => {
  it('is its answer, word for word', () => {
    const query = new URLSearchParams('code=a%2Bb&state=e.c&iss=https%3A%2F%2Fidp.test');

    expect(answerOf(query)).toEqual({ code: 'a+b', state: 'e.c', iss: 'https://idp.test' });
  });

  it.each(['error=access_denied&state=e.c', 'code=a&state=e.c&error=x', 'code=a', 'state=e.c', ''])(
    'is none: %s',
    (query) => {
      expect(answerOf(new URLSearchParams(query))).toBeNull();
    },
  );

  it.each([
    ['s.x', 'step'],
    ['l.x', 'link'],
    ['e.x', 'enter'],
    ['a.x', 'enter'],
    ['z.x', 'enter'],
  ])('says by %s what it was for', (state, errand) => {
    expect(errandOf(new URLSearchParams({ state }))).toBe(errand);
  });
});

import { describe, expect, it } from 'vitest';

import { screenOf } from './screens';
import type { Role, Session } from './session';

function aSession(role: Role, { manages = false, may = [] as string[] } = {}): Session {
  const entry = { space: 's', account: 'e', name: 'Elsa', flat: '1', unit: 'u', permissions: may };
  const account = { id: 'a', name: 'Eva', role, language: 'sv' };
  return { account, manages, residents: [entry] } as unknown as Session;
}

describe('the first screen', () => {
  it('is the overview of whoever sees somebody’s day', () => {
    const eva = aSession('manager', { manages: true, may: ['plan.view', 'care.manage'] });
    expect(screenOf([], eva)).toBe('supporter');
    expect(screenOf([], aSession('caregiver'))).toBe('supporter');
  });

  it('is the administration of whoever manages and sees nobody’s day', () => {
    const eva = aSession('manager', { manages: true, may: ['care.manage'] });
    expect(screenOf([], eva)).toBe('admin');
    expect(screenOf(['installningar'], eva)).toBe('settings');
    // A key of the overview, or an old link, is no way to an overview that looks as if all were well.
    expect(screenOf(['larm'], eva)).toBe('admin');
    expect(screenOf(['planering'], eva)).toBe('admin');
    // Whom a link names is known by name, and it is said that the day is not to be seen.
    expect(screenOf(['boende', 's'], eva)).toBe('supporter');
  });

  it('is the door while nobody is signed in', () => {
    expect(screenOf([], null)).toBe('signin');
    expect(screenOf(['admin'], null)).toBe('signin');
  });
});

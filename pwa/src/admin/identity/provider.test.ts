import { expect, it } from 'vitest';

import { changeOf, formOf, type Provider } from './provider';

const OFF: Provider = {
  ...{ state: 'off', redirect_uri: 'https://mos.test/oidc/callback', issuer: '', client_id: '' },
  ...{ has_secret: false, label: '', scopes: [], by_email: false, strong_acr: [], strong_amr: [] },
  linked: 0,
};

it('asks for the address where nothing has been chosen yet, and for nothing where that was', () => {
  expect(formOf(OFF).scopes).toBe('email');
  expect(formOf({ ...OFF, state: 'on' }).scopes).toBe('');
});

it('sends words by themselves, and a secret only where one was written', () => {
  const form = { ...formOf(OFF), issuer: ' https://idp.test ', strong_amr: 'mfa, hwk\n sc' };

  expect(changeOf(form)).toMatchObject({
    issuer: 'https://idp.test',
    strong_amr: ['mfa', 'hwk', 'sc'],
    strong_acr: [],
  });
  expect(changeOf(form)).not.toHaveProperty('secret');
  expect(changeOf({ ...form, secret: ' s ' })).toHaveProperty('secret', ' s ');
});

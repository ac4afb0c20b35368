/** The clock's frame in kiosk mode: a layer of its own above whatever the app shows. */
import { mount } from 'svelte';

import { needAreas } from '../app/i18n.svelte';
import { kiosk } from './kiosk.svelte';
import Layer from './Layer.svelte';

export async function startKiosk(): Promise<void> {
  await Promise.all([kiosk.load(), needAreas('settings')]);
  mount(Layer, { target: document.body });
}

/** Putting the app on the device: the browser's own offer where it makes one. */
import { isApple, isInstalled } from '../app/push';

interface InstallOffer extends Event {
  prompt(): Promise<void>;
  readonly userChoice: Promise<{ readonly outcome: 'accepted' | 'dismissed' }>;
}

class Install {
  offer = $state.raw<InstallOffer | null>(null);
  installed = $state(isInstalled());

  constructor() {
    addEventListener('beforeinstallprompt', (event) => {
      event.preventDefault();
      this.offer = event as InstallOffer;
    });
    addEventListener('appinstalled', () => {
      this.installed = true;
      this.offer = null;
    });
  }

  /** How this device does it: by the browser's offer, by Apple's share menu, from the browser's menu, or not at all. */
  get way(): 'done' | 'offer' | 'apple' | 'menu' | 'insecure' {
    if (this.installed) return 'done';
    if (!isSecureContext) return 'insecure';
    if (this.offer !== null) return 'offer';
    return isApple() ? 'apple' : 'menu';
  }

  async ask(): Promise<void> {
    const offer = this.offer;
    this.offer = null;
    await offer?.prompt();
    if ((await offer?.userChoice)?.outcome === 'accepted') this.installed = true;
  }
}

export const install = new Install();

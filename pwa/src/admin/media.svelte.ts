/** Whether a media query holds. Not svelte's `MediaQuery`: what that needs of svelte would be loaded with a resident's
 *  first screen. Call it while a component begins. */
export class Media {
  current = $state(false);

  constructor(query: string) {
    $effect.pre(() => {
      const list = matchMedia(query);
      const look = (): void => {
        this.current = list.matches;
      };
      look();
      list.addEventListener('change', look);
      return () => list.removeEventListener('change', look);
    });
  }
}

/** Looks at a page for the tests of every screen: what can be pressed, how large it is, what is cut. Runs in the page. */
(() => {
  /** A dialog that is open stands before all else. */
  const front = () => [...document.querySelectorAll('dialog[open]')].at(-1) ?? document.body;
  const name = (el) =>
    `${el.tagName.toLowerCase()} "${(el.ariaLabel || el.innerText || el.title || el.id || '').trim().slice(0, 40)}"`;
  const box = (el) => el.getBoundingClientRect();
  const isHiddenForEyes = (el) => box(el).width <= 2 || box(el).height <= 2;
  const isThere = (el) =>
    el.checkVisibility({ checkVisibilityCSS: true }) && el.closest('[inert]') === null;
  const CONTROLS =
    'button, a[href], input:not([type=hidden]), select, textarea, summary, [tabindex="0"]';

  function controls() {
    return [...front().querySelectorAll(CONTROLS)].filter(
      (el) => isThere(el) && !el.disabled && !el.matches(':disabled'),
    );
  }

  /** What a finger has to hit: a control's label belongs to it, and so does what it spreads over. */
  function target(el) {
    const label = el.labels?.[0];
    if (label && label.contains(el)) return label;
    const after = getComputedStyle(el, '::after');
    const isSpread =
      after.content !== 'none' && after.position === 'absolute' && after.inset === '0px';
    return isSpread && getComputedStyle(el).position === 'static' ? el.offsetParent : el;
  }

  const ownText = (el) =>
    [...el.childNodes].filter(
      (each) => each.nodeType === Node.TEXT_NODE && each.textContent.trim(),
    );

  /** Links among words are as large as their words. */
  const isInText = (el) =>
    el.tagName === 'A' &&
    target(el) === el &&
    (getComputedStyle(el).display === 'inline' || ownText(el.parentElement).length > 0);

  function tooSmall(least) {
    return controls()
      .filter((el) => !isInText(el) && !isHiddenForEyes(target(el)) && el.tabIndex >= 0)
      .filter((el) => box(target(el)).height < least - 0.5 || box(target(el)).width < least - 0.5)
      .map(
        (el) =>
          `${name(el)} ${Math.round(box(target(el)).width)}×${Math.round(box(target(el)).height)}`,
      );
  }

  /** What lies outside the window sideways, or does not fit into its own box. */
  function cut() {
    const texts = [...front().querySelectorAll('*')].filter(
      (el) =>
        isThere(el) && el.closest('svg') === null && !isHiddenForEyes(el) && ownText(el).length > 0,
    );
    return texts.filter((el) => isOutside(el) || isClipped(el)).map(name);
  }
  function isOutside(el) {
    const range = document.createRange();
    return ownText(el).some((text) => {
      range.selectNode(text);
      const { left, right } = range.getBoundingClientRect();
      return right - left > 2 && (left < -1 || right > innerWidth + 1) && !isInScroller(el);
    });
  }
  function rightOf(text) {
    const range = document.createRange();
    range.selectNode(text);
    return range.getBoundingClientRect().right;
  }
  function isInScroller(el) {
    for (let at = el; at && at !== document.body; at = at.parentElement) {
      if (/auto|scroll/.test(getComputedStyle(at).overflowX) && at.scrollWidth > at.clientWidth)
        return true;
    }
    return false;
  }
  function isClipped(el) {
    for (let at = el, steps = 0; at && steps < 3; at = at.parentElement, steps++) {
      const { overflowX, display } = getComputedStyle(at);
      if (display === 'inline' || overflowX === 'visible') continue;
      if (ownText(el).some((text) => rightOf(text) > box(at).right + 1)) return true;
    }
    return false;
  }

  function unbordered() {
    const line = (el) => {
      const style = getComputedStyle(el);
      return (
        (parseFloat(style.borderTopWidth) >= 1 && style.borderTopStyle !== 'none') ||
        (parseFloat(style.outlineWidth) >= 1 && style.outlineStyle !== 'none')
      );
    };
    return controls()
      .filter(
        (el) => el.tagName === 'BUTTON' && el.tabIndex >= 0 && !isHiddenForEyes(el) && !line(el),
      )
      .map(name);
  }

  /** Numbers all that Tab must come to; answers how many there are. Of a group of radios one is enough. */
  function count() {
    const seen = new Set();
    let number = 0;
    for (const el of controls()) {
      if (el.tabIndex < 0) continue;
      if (el.type === 'radio') {
        const group = el.name || el.closest('[role=radiogroup]');
        const chosen = controls().find(
          (each) =>
            each.type === 'radio' && (el.name ? each.name === el.name : false) && each.checked,
        );
        if (seen.has(group) || (chosen && chosen !== el)) continue;
        seen.add(group);
      }
      el.dataset.probe = String(number++);
    }
    return number;
  }
  function missed(reached) {
    const wanted = [...document.querySelectorAll('[data-probe]')];
    return wanted.filter((el) => !reached.includes(el.dataset.probe)).map(name);
  }
  /** Where focus is, whether it shows, and whether anything of it can be seen. */
  function focus() {
    const el = document.activeElement;
    if (el === null || el === document.body) return null;
    return {
      probe: el.dataset.probe ?? null,
      name: name(el),
      shows: showsFocus(el),
      covered: isCovered(el),
    };
  }
  function showsFocus(el) {
    const ring = (style) => style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2;
    for (let at = el, steps = 0; at && steps < 4; at = at.parentElement, steps++) {
      if (
        ring(getComputedStyle(at)) ||
        ring(getComputedStyle(at, '::after')) ||
        ring(getComputedStyle(at, '::before'))
      )
        return true;
    }
    return el.nextElementSibling !== null && ring(getComputedStyle(el.nextElementSibling));
  }
  function isCovered(el) {
    const mine = target(el);
    const { left, right, top, bottom } = box(mine);
    const points = [0.1, 0.5, 0.9].flatMap((x) =>
      [0.15, 0.5, 0.85].map((y) => [left + (right - left) * x, top + (bottom - top) * y]),
    );
    return !points.some(([x, y]) => {
      const hit = document.elementFromPoint(x, y);
      return hit !== null && (mine.contains(hit) || hit.contains(el));
    });
  }

  /** Resolves when the page has taken its new size and colours, and nothing glides. What breathes for ever does not count. */
  async function still() {
    for (const _ of [1, 2]) await new Promise((resolve) => requestAnimationFrame(resolve));
    const running = document
      .getAnimations()
      .filter((each) => Number.isFinite(each.effect.getComputedTiming().endTime));
    await Promise.all(running.map((each) => each.finished.catch(() => null)));
  }

  window.probes = { still, tooSmall, cut, unbordered, count, missed, focus };
})();

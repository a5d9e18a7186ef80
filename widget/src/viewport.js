/** The phone's view: which windows count as small, and how the panel keeps clear of the keyboard. */

// In em, so that a large text size in a wide window counts as a small one.
export const SMALL = '(max-width: 40em), (max-height: 30em)';
const LOW = 28; // em of height under which the whole panel scrolls, header and all

/**
 * Keeps `panel` within the part of the window that the on-screen keyboard leaves, until `signal` ends.
 * Browsers lay fixed elements out behind the keyboard; only the visual viewport tells.
 */
export function followViewport(panel, signal) {
  const view = window.visualViewport;
  const fit = () => {
    const height = view ? view.height : innerHeight;
    panel.classList.toggle('low', height < LOW * parseFloat(getComputedStyle(panel).fontSize));
    if (!view || view.scale > 1.01) return; // Pinched: the visitor looks at a part of the panel.
    panel.style.setProperty('--_height', `${height}px`);
    panel.style.setProperty('--_top', `${view.offsetTop}px`);
  };
  fit();
  for (const type of ['resize', 'scroll']) (view || window).addEventListener(type, fit, { signal });
}

/** Registers <abt-chat>. Registering twice is harmless; in a browser that is too old the link inside the element stays. */
import { AbtChat } from './element.js';

// Together these stand for Chrome 111, Safari 16.4 and Firefox 113.
const capable = 'adoptedStyleSheets' in document && CSS.supports('color', 'color-mix(in srgb, red, blue)');

if (capable && !customElements.get('abt-chat')) customElements.define('abt-chat', AbtChat);

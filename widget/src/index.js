/** Registers <abt-chat>. Registering twice is harmless; in a browser that is too old the link inside the element stays. */
import { AbtChat } from './element.js';

if (!customElements.get('abt-chat') && 'adoptedStyleSheets' in document && window.HTMLDialogElement) {
  customElements.define('abt-chat', AbtChat);
}

/** The style sheet: one text, in the order of the page. */
import base from './base.css';
import message from './message.css';
import panel from './panel.css';
import theme from './theme.css';

export default theme + base + panel + message;

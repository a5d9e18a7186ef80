/** Puts transcript, text area and panel together for one element. */
import carried from 'abt:carried';
import { call } from './api.js';
import { Composer } from './composer.js';
import { safeUrl } from './dom.js';
import { download } from './export.js';
import { Log } from './log.js';
import { Panel } from './panel.js';

const HELP_LIMIT = 4000;

/** Returns the panel of `element` (an AbtChat), with its conversation in it. */
export function assemble(element) {
  const { say, chat, server } = element;
  const privacyUrl = element.getAttribute('privacy-url') || '';
  const context = {
    say,
    base: `${server}/`,
    site: carried.site,
    carried: carried.help,
    notice: carried.notice,
    privacyUrl: privacyUrl && safeUrl(privacyUrl, location.href),
    choose: (item, choice) => element.choose(item, choice),
    retry: (item) => chat.retry(item),
    rate: (item, helpful) => chat.rate(item, helpful),
    help: () => panel.showHelp(),
  };
  const log = new Log(context);
  const composer = new Composer(say, (text) => element.post({ text }), (draft) => chat.keepDraft(draft));
  const title = element.getAttribute('title') || say('title');
  const panel = new Panel({ title, log, composer, context, exitUrl: element.exitUrl, act: {
    closed: () => element.closed(),
    leave: () => element.leave(),
    save: () => download(element.exportTranscript(), say('fileName')),
    remove: () => element.deleteChat(),
    // The token lets the gateway learn that its answers were no help; without one the card comes all the same.
    help: () => call(server, 'GET', '/api/help', { token: chat.state.token, limit: HELP_LIMIT }),
  } });
  composer.input.value = chat.state.draft;
  log.show(chat.state.items);
  return panel;
}

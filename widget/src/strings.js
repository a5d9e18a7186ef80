/**
 * Every string that the widget shows. Replace any of them by `element.strings = { … }`.
 * {name}, {therapy} and {contact} come from the site's data; other braces are filled where the string is used.
 */
export const STRINGS = Object.freeze({
  launcher: 'Ask a question',
  unread: 'new reply',
  title: 'Ask about therapy',
  subtitle: 'Automated assistant',
  welcome: 'Hello. I can answer questions about {therapy}, and help you look for a therapist.',
  noticeHeading: 'Before you start',
  privacy: 'Privacy notice',
  leaveNote: '“Leave now”, or Shift pressed three times, closes this page and clears this chat. Your browser’s history will still show the visit.',
  suggestions: Object.freeze(['What is {therapy}?', 'How many sessions will I need?', 'Find a therapist near me']),
  suggestionsLabel: 'Suggested questions',
  choices: 'Choices',
  chosen: 'chosen',
  conversation: 'Conversation',
  messages: 'Messages',
  you: 'You:',
  assistant: 'Assistant:',

  help: 'Get urgent help',
  helpContact: 'Other ways to reach us',
  back: 'Back to the chat',
  leave: 'Leave now',
  leaveLink: 'Leave this page quickly',
  leaving: 'Leaving this page',
  close: 'Close chat',
  menu: 'More',
  save: 'Save as text',
  remove: 'Delete my chat',
  removeAsk: 'Delete this chat from this page and from our server? It cannot be brought back.',
  removeYes: 'Delete',
  removeNo: 'Keep it',
  removing: 'Deleting…',
  removed: 'Your chat is deleted, here and on our server.',
  removeFailed: 'The chat could not be deleted, because our server did not answer. It is still here. Please try again.',

  input: 'Your message',
  placeholder: 'Type your question',
  send: 'Send',
  tooLong: 'This is too long. Please shorten it, or send it in two parts.',
  count: '({count} of {limit} characters)',

  waiting: 'Writing a reply',
  slow: 'This is taking longer than usual. Still trying.',
  offline: 'You are offline. Messages will wait here.',
  sending: 'Sending',
  failed: 'Not sent.',
  failedOffline: 'Not sent: you are offline.',
  failedBusy: 'Not sent: many messages at once. Please wait a moment.',
  failedLong: 'Not sent: the message is too long.',
  retry: 'Try again',
  trouble: 'Your message did not reach us, and I am sorry about that. You can try again, or use one of these.',
  newChat: 'A new chat has started. I cannot see what was said before.',
  copied: 'The earlier chat goes on in your other tab. A new one starts here.',
  idleWarning: 'This chat ends in two minutes, to keep it private, unless you carry on.',
  idleKeep: 'Carry on',
  idleEnded: 'The chat ended after 30 minutes without a message, and was cleared from this page. You can start a new one at any time.',
  latest: 'Latest message',

  rate: 'Was this helpful?',
  rateYes: 'Yes, helpful',
  rateNo: 'No, not helpful',
  rated: 'Thank you for telling us.',
  rateFailed: 'That could not be sent.',

  for: 'For {whom}',
  moreServices: 'More services ({count})',
  newTab: 'opens in a new tab',
  profile: 'See profile',
  call: 'Call {to}',
  sms: 'Text {to}',
  smsBody: 'Text {body} to {to}',
  email: 'E-mail',
  web: 'Website',
  openNow: 'Open now',
  closedNow: 'Closed now',
  search: 'Find a therapist',
  contact: 'Write to us',

  fileName: 'chat.txt',
  fileHead: 'Chat with the automated assistant of {name}, saved on {date}. It gives information only.',
  fileReference: 'Reference: {reference}',
});

/** Returns the function that says a string by its key, with `{…}` filled from `site` and the values given. */
export function speaker(strings, site) {
  const fill = (text, values) => text.replace(/\{(\w+)\}/g, (whole, key) => values[key] ?? site[key] ?? whole);
  return (key, values = {}) => {
    const found = strings[key];
    return Array.isArray(found) ? found.map((text) => fill(text, values)) : fill(found, values);
  };
}

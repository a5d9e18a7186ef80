/** The conversation as plain text, for the visitor to keep. */

const lines = {
  choices: ({ choices = [] }) => choices.map(({ label }) => `- ${label}`),
  links: ({ links = [] }) => links.map(({ label, url }) => `- ${label}: ${url}`),
  cards: ({ cards = [] }) => cards.map(({ name, title, town, distance, formats, fee, register, accepting, url }) => `- ${[name, title, town, distance, formats, fee, register, accepting, url].flat().filter(Boolean).join(', ')}`),
  helplines: ({ services = [] }) => services.map(({ name, call, sms, email, web, hours }) => `- ${[name, call, sms, email, web, hours].filter(Boolean).join(', ')}`),
};

/** Returns the text of `items`, with the reference codes by which staff can find how an answer came about. */
export function transcript(items, say, base) {
  const parts = items.filter((item) => !item.trouble).map((item, index, all) => {
    const next = all[index + 1];
    const who = item.from === 'visitor' ? `${say('you')} ` : item.from === 'bot' ? `${say('assistant')} ` : '';
    const more = lines[item.type] ? lines[item.type](item) : [];
    const reference = item.reference && !(next && next.reference === item.reference) ? [say('fileReference', { reference: item.reference })] : [];
    return [`${who}${item.text || ''}`.trim(), ...more, ...reference].join('\n').replace(/ (\/r\/\S+)/g, ` ${base}$1`);
  });
  return [say('fileHead', { date: new Date().toLocaleString('en-GB', { dateStyle: 'long', timeStyle: 'short' }) }), ...parts].join('\n\n') + '\n';
}

/** Offers `text` to the visitor as a file. */
export function download(text, name) {
  const url = URL.createObjectURL(new Blob([text], { type: 'text/plain;charset=utf-8' }));
  const anchor = document.createElement('a');
  anchor.href = url;
  anchor.download = name;
  anchor.click();
  setTimeout(() => URL.revokeObjectURL(url), 10000);
}

/** The gateway's API: one call, with a time limit, no cookies and no referrer. */

const LIMIT = 15000;

/** A call that failed. `status` is 0 when no answer came; `body` is the error's JSON; `wait` the Retry-After in ms. */
export class ApiError extends Error {
  constructor(status, body = {}, wait = 0) {
    super(`status ${status}`);
    this.status = status;
    this.body = body;
    this.wait = wait;
  }
}

/**
 * Calls the gateway and returns the answer's JSON ({} for none).
 * `options`: token, body, signal (ends the call with the conversation), keepalive, limit in ms.
 * Throws ApiError for every outcome but a 2xx.
 */
export async function call(server, method, path, { token, body, signal, keepalive, limit = LIMIT } = {}) {
  const timer = new AbortController();
  const stop = () => timer.abort();
  const timeout = setTimeout(stop, limit);
  if (signal) signal.addEventListener('abort', stop);
  try {
    const response = await fetch(server + path, {
      method,
      keepalive,
      signal: timer.signal,
      cache: 'no-store',
      credentials: 'omit',
      referrerPolicy: 'no-referrer',
      headers: {
        ...(body && { 'Content-Type': 'application/json' }),
        ...(token && { Authorization: `Bearer ${token}` }),
      },
      body: body && JSON.stringify(body),
    });
    const json = response.status === 204 ? {} : await response.json().catch(() => null);
    if (response.ok && json) return json;
    // A 2xx without JSON comes from something between here and the gateway, such as a log-in page of a network.
    throw new ApiError(response.ok ? 0 : response.status, json || {}, 1000 * (parseInt(response.headers.get('Retry-After'), 10) || 0));
  } catch (error) {
    throw error instanceof ApiError ? error : new ApiError(0);
  } finally {
    clearTimeout(timeout);
    if (signal) signal.removeEventListener('abort', stop);
  }
}

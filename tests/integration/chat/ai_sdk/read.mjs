// A conversation with POST /chat as `useChat` has it, without a browser: each argument after the address is what the
// user says next. Prints {"messages", "errors", "progress"} as JSON.
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const [folder, api, ...questions] = process.argv.slice(2);
const found = createRequire(`${folder}/package.json`).resolve("ai");
const { DefaultChatTransport, readUIMessageStream, validateUIMessages } = await import(pathToFileURL(found).href);

const transport = new DefaultChatTransport({ api, headers: { Authorization: "Bearer a-token" } });
const messages = [];
const errors = [];
const progress = [];

for (const [place, text] of questions.entries()) {
  messages.push({ id: `user-${place}`, role: "user", parts: [{ type: "text", text }] });
  const chunks = await transport.sendMessages({
    chatId: "chat-1",
    messages,
    trigger: "submit-message",
    messageId: undefined,
    abortSignal: undefined,
  });
  const watched = chunks.pipeThrough(
    new TransformStream({
      transform(chunk, controller) {
        if (chunk.type === "data-progress") progress.push(chunk.data);
        controller.enqueue(chunk);
      },
    }),
  );
  let last;
  const stream = readUIMessageStream({ stream: watched, onError: (error) => errors.push(String(error.message)) });
  for await (const message of stream) last = message;
  if (last !== undefined) messages.push(last);
}

await validateUIMessages({ messages });
console.log(JSON.stringify({ messages, errors, progress }));

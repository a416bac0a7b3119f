"""The chat: a conversation comes in, tools are called, and the answer is streamed as `useChat` reads it."""

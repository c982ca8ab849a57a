/** A chat completion's text, read as the Response that it is the answer of. */
import { type ResponsesBody, responseOfChat } from '@millrace/core';
import { classifyResponse, notA, notJson, type ReadAnswer } from './classify-response.ts';
import { parseJson } from './json.ts';

/** @param request the Responses request the completion was asked for with */
export function classifyChat(text: string, contentType: string | null, request: ResponsesBody): ReadAnswer {
  const value = parseJson(text);
  if (value === undefined) return notJson(text, contentType);
  const response = responseOfChat(value, request);
  return response === undefined ? notA('chat completion', value) : classifyResponse(response);
}

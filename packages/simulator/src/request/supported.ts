/** Parameters that are valid, but not with this model or on this server: refused as unsupported, by name. */
import { isReasoningModel } from '../answer/reasoning.ts';
import { isObject, type JsonObject } from '../json.ts';
import { badParameter } from './refused.ts';

/** What the server itself offers. */
export interface ServerTakes {
  background: boolean;
  /** Refuses what only a server that remembers can know. */
  stateless?: boolean;
}

/** Throws a RefusedRequest for what the server lacks. */
export function checkServerTakes(body: JsonObject, { background, stateless }: ServerTakes): void {
  const lacking = [
    ...(body.background === true && !background ? ['background'] : []),
    ...(stateless ? ['previous_response_id', 'conversation'].filter((name) => (body[name] ?? null) !== null) : []),
  ];
  for (const name of lacking) {
    throw badParameter(`Unsupported parameter: '${name}' is not supported here.`, name, 'unsupported_parameter');
  }
}

/** Models that OpenAI knows to answer without reasoning. */
const PLAIN_MODEL = /^(gpt-3|gpt-4|chatgpt-4)/;

/** Throws a RefusedRequest for what a model that reasons refuses, and one that does not. */
export function checkModelTakes(body: JsonObject): void {
  const model = String(body.model ?? '');
  const refuse = (param: string) =>
    badParameter(`Unsupported parameter: '${param}' is not supported with this model.`, param);
  for (const name of isReasoningModel(model) ? ['temperature', 'top_p'] : []) {
    if ((body[name] ?? 1) !== 1) throw refuse(name);
  }
  const effort = (isObject(body.reasoning) && body.reasoning.effort) || 'none';
  if (PLAIN_MODEL.test(model) && effort !== 'none') throw refuse('reasoning.effort');
}

/** One route as the document describes it. */
import type { z } from 'zod';

export interface Operation {
  method: 'get' | 'post' | 'delete';
  /** With parameters in braces: `/v1/jobs/{id}`. */
  path: string;
  /** The chapter it is in. */
  tag: string;
  summary: string;
  description?: string;
  /** Needs no key. */
  open?: boolean;
  query?: Record<string, Parameter>;
  headers?: Record<string, Parameter>;
  body?: Body;
  /** What a success answers. */
  answer: Answer;
  /** Codes of refusals beyond 400, 401, 403 and 503, which any route may answer. */
  errors?: Record<number, string>;
}

export interface Parameter {
  schema: Record<string, unknown>;
  description: string;
}

export interface Body {
  /** By content type. */
  content: Record<string, { schema: z.ZodType | Record<string, unknown>; example?: unknown }>;
}

export interface Answer {
  status: number;
  description: string;
  /** Default: application/json. */
  contentType?: string;
  schema?: z.ZodType;
}

/**
 * BullMQ's scripts on a full Redis. They carry no flags, so Redis refuses them once it is full: no job could be taken,
 * none would end, and the memory that ends of jobs give back would never come free. Those that bring in new jobs stay
 * refused; the others only move what is there.
 */
import type { Redis } from 'ioredis';
import { WHEN_FULL } from './scripts.ts';

/** BullMQ names its commands `<script>:<version>`. */
const BRINGS_IN = /^(add|updateJobScheduler|relay)/;

/** To be called before BullMQ gets the connection: it defines its scripts on it, and this adds the flag as it does. */
export function letMovesPassWhenFull(redis: Redis): void {
  const define = redis.defineCommand.bind(redis);
  redis.defineCommand = (name, definition) => {
    const passes = definition.lua.startsWith('#!') || BRINGS_IN.test(name);
    define(name, passes ? definition : { ...definition, lua: `${WHEN_FULL}${definition.lua}` });
  };
}

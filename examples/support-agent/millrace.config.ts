/** For the support agent: the functions that workers run. */
import { defineConfig } from '@millrace/core';
import { look_up_order, refund_order, search_help } from './tools.ts';

export default defineConfig({ tools: { look_up_order, refund_order, search_help } });

import type { Case } from '../case.js';
import { batch } from './batch.js';
import { closing } from './closing.js';
import { conditions } from './conditions.js';
import { modes } from './modes.js';
import { nesting } from './nesting.js';
import { opening } from './opening.js';
import { registration } from './registration.js';
import { stale } from './stale.js';
import { waiting } from './waiting.js';
import { waking } from './waking.js';

/** The contract, in the order of a poller's life. */
export const cases: readonly Case[] = [
  ...[...opening, ...registration, ...modes, ...conditions, ...batch],
  ...[...stale, ...waiting, ...waking, ...closing, ...nesting],
];

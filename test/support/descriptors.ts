import { readdirSync } from 'node:fs';

/** The descriptors that are open in this process, from the kernel itself. */
export function openDescriptors(): number[] {
  // The folder is open while it is read, and shows itself: that one is closed again by now.
  const listed = readdirSync('/proc/self/fd').map(Number);
  return listed.sort((a, b) => a - b);
}

/** How many descriptors are open. Compare two of these: each counts the folder it reads. */
export function countDescriptors(): number {
  return openDescriptors().length;
}

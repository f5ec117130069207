import { binding } from '../native.js';

// Taken out once: the optimizing compiler then knows the target of each call.
const {
  inotify_init1: nativeInotifyInit1,
  inotify_add_watch: nativeInotifyAddWatch,
  inotify_rm_watch: nativeInotifyRmWatch,
  pidfd_open: nativePidfdOpen,
} = binding.sys;

/**
 * `inotify_init1(flags)`: opens a queue of what happens to files.
 *
 * Reading gives `struct inotify_event`s; level 2 decodes them with `inotifyEvents`.
 *
 * @param flags  `IN_CLOEXEC | IN_NONBLOCK`
 * @returns      The descriptor, or a negated errno.
 *
 * | errno  | when |
 * | ------ | --- |
 * | EINVAL | unknown flags |
 * | EMFILE | out of descriptors, or the user has `fs.inotify.max_user_instances` |
 * | ENOSYS | this system has no inotify |
 *
 * Platform: Linux.
 * @see inotify_init1(2), inotify(7)
 */
export function inotify_init1(flags: number): number {
  return nativeInotifyInit1(flags);
}

/**
 * `inotify_add_watch(fd, path, mask)`: watches a file or a folder, or changes what is watched for.
 *
 * @param path  Without a zero byte.
 * @param mask  `IN_CREATE | IN_DELETE | …`, and `IN_ONLYDIR`, `IN_MASK_ADD` …
 * @returns     The watch, the same for the same file; or a negated errno.
 *
 * | errno  | when |
 * | ------ | --- |
 * | EACCES | the file cannot be read |
 * | EBADF  | `fd` is not open |
 * | EEXIST | watched already, with `IN_MASK_CREATE` |
 * | EINVAL | `fd` is no inotify; no event in the mask |
 * | ENAMETOOLONG | the path is too long |
 * | ENOENT | no such file |
 * | ENOSPC | the user has `fs.inotify.max_user_watches` |
 * | ENOTDIR | no folder, with `IN_ONLYDIR` |
 * | ENOSYS | this system has no inotify |
 *
 * @see inotify_add_watch(2)
 */
export function inotify_add_watch(fd: number, path: string, mask: number): number {
  return nativeInotifyAddWatch(fd, path, mask);
}

/**
 * `inotify_rm_watch(fd, wd)`: ends a watch; the queue gets `IN_IGNORED`.
 *
 * @returns  0, or `-EBADF`: `fd` is not open; `-EINVAL`: `fd` is no inotify or has no such watch;
 *           `-ENOSYS`: this system has no inotify.
 * @see inotify_rm_watch(2)
 */
export function inotify_rm_watch(fd: number, wd: number): number {
  return nativeInotifyRmWatch(fd, wd);
}

/**
 * `pidfd_open(pid, flags)`: opens a descriptor for a process, readable once it has ended.
 *
 * The descriptor is close-on-exec.
 *
 * @param flags  0, or `PIDFD_NONBLOCK`.
 * @returns      The descriptor, or a negated errno.
 *
 * | errno  | when |
 * | ------ | --- |
 * | EINVAL | `pid` is not above 0; unknown flags |
 * | EMFILE | out of descriptors |
 * | ENOENT | `pid` is a thread that is no process; older kernels answer `EINVAL` |
 * | ESRCH  | no such process |
 * | ENOSYS | this system has no pidfd, or a kernel before Linux 5.3 |
 *
 * Platform: Linux.
 * @see pidfd_open(2)
 */
export function pidfd_open(pid: number, flags: number): number {
  return nativePidfdOpen(pid, flags);
}

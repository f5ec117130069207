import * as constants from '../sys/constants.js';
import type { FdLike } from './fd-like.js';
import { getStruct, readStruct } from './socket-options.js';

/** A state of a TCP connection, by the kernel's name without its `TCP_`. */
export type TcpState =
  | 'ESTABLISHED'
  | 'SYN_SENT'
  | 'SYN_RECV'
  | 'FIN_WAIT1'
  | 'FIN_WAIT2'
  | 'TIME_WAIT'
  | 'CLOSE'
  | 'CLOSE_WAIT'
  | 'LAST_ACK'
  | 'LISTEN'
  | 'CLOSING';

const STATES = [
  'ESTABLISHED',
  'SYN_SENT',
  'SYN_RECV',
  'FIN_WAIT1',
  'FIN_WAIT2',
  'TIME_WAIT',
  'CLOSE',
  'CLOSE_WAIT',
  'LAST_ACK',
  'LISTEN',
  'CLOSING',
] as const satisfies readonly TcpState[];

/**
 * What the kernel knows of a TCP connection: `struct tcp_info` of `linux/tcp.h`, its fields without
 * their `tcpi_`. Counters begin with the connection. A number above 2 ** 53 is rounded.
 *
 * The fields from `bytes_acked` on are absent where the kernel did not fill them in.
 *
 * @see tcp(7)
 */
export interface TcpInfo {
  /** By its name; a state that has none yet by its number. */
  readonly state: TcpState | `${number}`;
  /** 0 open, 1 disorder, 2 window reduced, 3 recovery, 4 loss. */
  readonly ca_state: number;
  /** How often the oldest segment without an answer has been sent again. */
  readonly retransmits: number;
  /** Probes of a closed window or of a silent peer without an answer. */
  readonly probes: number;
  /** How often the timeout has been doubled. */
  readonly backoff: number;
  /** After which time a segment is sent again, in µs. */
  readonly rto: number;
  /** After which time a delayed acknowledgement is sent, in µs. */
  readonly ato: number;
  /** The largest segment to send, in bytes. */
  readonly snd_mss: number;
  /** The largest segment that came, estimated, in bytes. */
  readonly rcv_mss: number;
  /** Segments under way without an answer; of a listener: connections that wait. */
  readonly unacked: number;
  /** Segments acknowledged out of order; of a listener: its backlog. */
  readonly sacked: number;
  /** Segments that are taken for lost. */
  readonly lost: number;
  /** Segments under way for the second time. */
  readonly retrans: number;
  /** Since data was sent, in ms. */
  readonly last_data_sent: number;
  /** Since data came, in ms. */
  readonly last_data_recv: number;
  /** Since an acknowledgement came, in ms. */
  readonly last_ack_recv: number;
  /** The largest packet of the path, in bytes. */
  readonly pmtu: number;
  /** How far the window that is announced may grow, in bytes. */
  readonly rcv_ssthresh: number;
  /** The time of a round trip, smoothed, in µs. */
  readonly rtt: number;
  /** How much `rtt` varies, in µs. */
  readonly rttvar: number;
  /** The end of slow start, in segments. */
  readonly snd_ssthresh: number;
  /** The congestion window, in segments. */
  readonly snd_cwnd: number;
  /** The largest segment that was announced to the peer, in bytes. */
  readonly advmss: number;
  /** How far segments may be out of order before one is taken for lost. */
  readonly reordering: number;
  /** The time of a round trip as the receiver sees it, in µs; 0: not known. */
  readonly rcv_rtt: number;
  /** How much is read in one round trip, estimated, in bytes. */
  readonly rcv_space: number;
  /** Segments that were sent again. */
  readonly total_retrans: number;
  /** Bytes that the peer has acknowledged, SYN and FIN counted as one each. Linux 4.1. */
  readonly bytes_acked?: number;
  /** Bytes that came. Linux 4.1. */
  readonly bytes_received?: number;
  /** Segments sent, those without data too. Linux 4.2. */
  readonly segs_out?: number;
  /** Segments that came, those without data too. Linux 4.2. */
  readonly segs_in?: number;
  /** Bytes in the send buffer that were never sent. Linux 4.6. */
  readonly notsent_bytes?: number;
  /** The shortest round trip, in µs. Linux 4.6. */
  readonly min_rtt?: number;
  /** Segments with data that came. Linux 4.6. */
  readonly data_segs_in?: number;
  /** Segments with data sent. Linux 4.6. */
  readonly data_segs_out?: number;
  /** The last rate at which data arrived, in bytes a second. Linux 4.9. */
  readonly delivery_rate?: number;
  /** How long there was something to send, in µs. Linux 4.10. */
  readonly busy_time?: number;
  /** How much of `busy_time` the peer's window held back, in µs. Linux 4.10. */
  readonly rwnd_limited?: number;
  /** How much of `busy_time` the send buffer held back, in µs. Linux 4.10. */
  readonly sndbuf_limited?: number;
}

/** In the order of the struct. */
const FIELDS = [
  'state',
  'ca_state',
  'retransmits',
  'probes',
  'backoff',
  'rto',
  'ato',
  'snd_mss',
  'rcv_mss',
  'unacked',
  'sacked',
  'lost',
  'retrans',
  'last_data_sent',
  'last_data_recv',
  'last_ack_recv',
  'pmtu',
  'rcv_ssthresh',
  'rtt',
  'rttvar',
  'snd_ssthresh',
  'snd_cwnd',
  'advmss',
  'reordering',
  'rcv_rtt',
  'rcv_space',
  'total_retrans',
  'bytes_acked',
  'bytes_received',
  'segs_out',
  'segs_in',
  'notsent_bytes',
  'min_rtt',
  'data_segs_in',
  'data_segs_out',
  'delivery_rate',
  'busy_time',
  'rwnd_limited',
  'sndbuf_limited',
] as const satisfies readonly (keyof TcpInfo)[];

type Fields = ReturnType<typeof readStruct<(typeof FIELDS)[number]>>;

/** @internal */
export function tcpInfo(socket: FdLike): TcpInfo {
  return named(getStruct(socket, [constants.IPPROTO_TCP, 'TCP_INFO'], 'tcp_info', FIELDS));
}

/** What the first bytes of the struct tell. @internal */
export function tcpInfoOf(bytes: Uint8Array): TcpInfo {
  return named(readStruct('tcp_info', FIELDS, bytes));
}

function named(fields: Fields): TcpInfo {
  const { state = 0, ...rest } = fields;
  const name = STATES.find((known) => constants[`TCP_${known}`] === state);
  return { state: name ?? `${state}`, ...(rest as Omit<TcpInfo, 'state'>) };
}

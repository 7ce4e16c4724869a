import type { ColumnType } from "kysely";

export type Count = ColumnType<string, never, never>;
export type Timestamp = ColumnType<Date, Date | string, Date | string>;
export type NullableTimestamp = ColumnType<
  Date | null,
  Date | string | null | undefined,
  Date | string | null
>;
/** bigint that people choose: ids of the forge. */
export type BigId = ColumnType<string | number, number, number>;
export type Json = ColumnType<unknown, string, string>;

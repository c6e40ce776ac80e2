/** Schemas that are held to the types of the code: where one of the two changes, the other no longer compiles. */
import type { z } from "zod";

/** Lists and members without readonly, which schemas do not know. */
type Plain<Value> = Value extends readonly (infer Item)[]
  ? Plain<Item>[]
  : Value extends object
    ? { -readonly [Key in keyof Value]: Plain<Value[Key]> }
    : Value;

type Same<One, Other> =
  (<Any>() => Any extends Plain<One> ? 1 : 2) extends <Any>() => Any extends Plain<Other> ? 1 : 2
    ? true
    : false;

/** What a schema of another type lacks. */
interface NotOfTheType<Type> {
  readonly theSchemaIsNotOfTheType: Type;
}

/** `schemaOf<Type>()(schema)` is the schema; it compiles only if the schema is exactly the type's. */
export function schemaOf<Type>() {
  return <Schema extends z.ZodType>(
    schema: Schema & (Same<z.output<Schema>, Type> extends true ? unknown : NotOfTheType<Type>),
  ): Schema => schema;
}

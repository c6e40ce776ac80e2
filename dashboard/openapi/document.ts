/** The description of the API (OpenAPI 3.1.0), made from the schemas that parse its parameters and check its answers. */
import { z } from "zod";
import { operations, parameterTexts, refusalTexts } from "./operations.ts";
import type { Answer, Operation } from "./operations.ts";
import { schemas } from "./schemas.ts";
import type { SchemaName } from "./schemas.ts";

type Json = Readonly<Record<string, unknown>>;

/** What any request may be refused with. */
const usualRefusals = [400, 401, 403, 421, 500];

export function openApiDocument(): Json {
  const paths: Record<string, Record<string, Json>> = {};
  for (const operation of operations) {
    const path = `/api${operation.path.replaceAll(/:(\w+)/g, "{$1}")}`;
    paths[path] = { ...paths[path], [operation.method]: describe(operation) };
  }
  return {
    openapi: "3.1.0",
    info: {
      title: "tattle",
      version: "1",
      summary: "flagged hosts, whom they reached, and the packets",
      description:
        "Times are seconds since 1970, UTC. Parameters that are not named here are refused. Texts from packets and captures " +
        "are hostile: they are to be shown as text and nothing else.",
      license: { name: "MIT", identifier: "MIT" },
    },
    servers: [{ url: "/" }],
    paths,
    components: {
      schemas: componentSchemas(),
      securitySchemes: {
        people: { type: "http", scheme: "bearer", description: "where tattle serve has a --token-file" },
        agents: { type: "http", scheme: "bearer", description: "as tattle agents add makes them" },
      },
    },
  };
}

function describe(operation: Operation): Json {
  const { summary, by, method, path, body } = operation;
  return {
    operationId: `${method}${path.replaceAll(/[^a-z]+([a-z]?)/gi, (_, next: string) => next.toUpperCase())}`,
    summary,
    parameters: [...pathParameters(operation), ...queryParameters(operation), ...ownHeader(operation)],
    ...(body === undefined
      ? {}
      : {
          requestBody: {
            required: true,
            content: { [body.type]: body.schema === undefined ? {} : { schema: reference(body.schema) } },
          },
        }),
    responses: { ...success(operation.answer), ...refusals(operation) },
    // A dashboard on loopback asks nobody for a token.
    security: by === "agents" ? [{ agents: [] }] : [{}, { people: [] }],
  };
}

function pathParameters({ path, inPath = {} }: Operation): Json[] {
  return [...path.matchAll(/:(\w+)/g)].map(([, name = ""]) => ({
    name,
    in: "path",
    required: true,
    description: parameterTexts[name],
    schema: { type: "string", ...(inPath[name] === undefined ? {} : { enum: [...inPath[name]] }) },
  }));
}

/** From the schema that parses them; what goes in is text, whatever it becomes. */
function queryParameters({ query }: Operation): Json[] {
  const { properties = {}, required = [] } = z.toJSONSchema(query, { io: "input" });
  return Object.entries(properties).map(([name, schema]) => ({
    name,
    in: "query",
    required: required.includes(name),
    description: parameterTexts[name],
    schema,
  }));
}

/** What refuseCrossSite asks for (dashboard/security/same-origin.ts). */
function ownHeader({ method, by }: Operation): Json[] {
  if (method === "get" || by === "agents") return [];
  return [
    {
      name: "X-Tattle-Request",
      in: "header",
      required: true,
      description: "any value: a page of another origin cannot send it",
      schema: { type: "string" },
    },
  ];
}

function success(answer: Answer): Json {
  if (answer === "nothing") return { 204: { description: "it was taken" } };
  if ("types" in answer) {
    const schema = answer.isFile
      ? { type: "string", contentMediaType: "application/octet-stream" }
      : { type: "object" };
    const content = Object.fromEntries(answer.types.map((type) => [type, { schema }]));
    const name = { description: "a file name to save it under", schema: { type: "string" } };
    const headers = answer.isFile ? { headers: { "Content-Disposition": name } } : {};
    return { 200: { description: answer.description, ...headers, content } };
  }
  return {
    200: {
      description: answer.schema,
      content: {
        "application/json": { schema: reference(answer.schema) },
        ...(answer.lines === undefined
          ? {}
          : { "application/x-ndjson": { schema: reference(answer.lines) } }),
      },
    },
  };
}

function refusals({ refusals: own }: Operation): Json {
  const content = { "application/json": { schema: reference("Error") } };
  const statuses = [...usualRefusals, ...own].toSorted((one, other) => one - other);
  return Object.fromEntries(
    statuses.map((status) => [status, { description: refusalTexts[status], content }]),
  );
}

function reference(name: SchemaName): Json {
  return { $ref: `#/components/schemas/${name}` };
}

function componentSchemas(): Json {
  const registry = z.registry<{ id: string }>();
  for (const [name, schema] of Object.entries(schemas)) registry.add(schema, { id: name });
  const { schemas: made } = z.toJSONSchema(registry, {
    uri: (id) => `#/components/schemas/${id}`,
    io: "input",
  });
  return Object.fromEntries(Object.entries(made).map(([name, schema]) => [name, withoutIds(schema)]));
}

/** Where they stand says which they are. */
function withoutIds(schema: object): Json {
  return Object.fromEntries(Object.entries(schema).filter(([key]) => key !== "$schema" && key !== "$id"));
}

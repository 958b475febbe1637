// Runs a handler of CDK's provider framework, with Lambda, Step Functions and CloudFormation stood in
// for: node provider_framework.js FRAMEWORK HANDLER COMMAND... <event
// COMMAND is our function: it reads an event and prints an answer; exit code 3 is an error.
// The last line of the output is what CloudFormation and Step Functions have got.
"use strict";
const { spawnSync } = require("child_process");
const { readFileSync } = require("fs");
const Module = require("module");
const path = require("path");

const [framework, handler, ...command] = process.argv.slice(2);
const got = { answers: [], executions: [] };

const load = Module._load;
Module._load = (name, ...rest) => (name.startsWith("@aws-sdk/") ? {} : load(name, ...rest));
const outbound = require(path.join(framework, "outbound.js"));
outbound.httpRequest = async (options, body) => {
  got.answers.push({ host: options.hostname, ...JSON.parse(body) });
};
outbound.startExecution = async (request) => {
  got.executions.push(JSON.parse(request.input));
};
outbound.invokeFunction = async (request) => {
  const done = spawnSync(command[0], command.slice(1), { input: request.Payload, encoding: "utf8" });
  if (done.status !== 0 && done.status !== 3) {
    throw new Error(done.stderr);
  }
  const said = done.stdout.trim().split("\n").pop();
  return { Payload: said, FunctionError: done.status === 3 ? "Unhandled" : undefined };
};

const say = console.log;
console.log = () => undefined;
const event = JSON.parse(readFileSync(0, "utf8"));
require(path.join(framework, "framework.js"))
  [handler](event)
  .then(
    () => undefined,
    (error) => {
      got.raised = String(error.message);
    },
  )
  .then(() => say(JSON.stringify(got)));

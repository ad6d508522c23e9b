import * as vscode from "vscode";
import {
  LanguageClient,
  type LanguageClientOptions,
  type ServerOptions,
  TransportKind,
} from "vscode-languageclient/node";

import { interpreter, program, settings } from "./finding";

const PATTERN =
  "**/*.{tf,tofu,tfvars,tf.json,tofu.json,tfvars.json,hcl,yaml,yml,json,template,cfn,py}";
const RESTARTING = ["blastdoor.path", "blastdoor.interpreter", "blastdoor.args"];

let client: LanguageClient | undefined;
let log: vscode.LogOutputChannel;
/** Starts and stops come one after the other. */
let turn: Promise<void> = Promise.resolve();

async function stop(): Promise<void> {
  const old = client;
  client = undefined;
  if (old !== undefined) {
    await old.dispose().catch((error) => log.warn(`the server did not stop: ${error}`));
  }
}

async function start(context: vscode.ExtensionContext): Promise<void> {
  const found = await program();
  if (found === undefined) {
    log.warn("blastdoor is neither in the Python environment nor on PATH");
    void offer();
    return;
  }
  log.info(`${found.command} ${found.args.join(" ")}  (from ${found.from})`);
  const server: ServerOptions = {
    command: found.command,
    args: found.args,
    transport: TransportKind.stdio,
    // Not the folder that is open: nothing of it may be imported or run.
    options: { cwd: context.extensionPath },
  };
  const options: LanguageClientOptions = {
    documentSelector: [{ scheme: "file", pattern: PATTERN }],
    outputChannel: log,
    synchronize: { configurationSection: "blastdoor" },
    initializationOptions: settings(),
    middleware: {
      executeCommand: async (command, args, next) => {
        const text = await next(command, args);
        if (command === "blastdoor.widens" && typeof text === "string") {
          await preview();
        }
        return text;
      },
    },
  };
  client = new LanguageClient("blastdoor", "blastdoor", server, options);
  try {
    await client.start();
  } catch (error) {
    log.error(`the server did not start: ${error}`);
    const choice = await vscode.window.showErrorMessage(
      "blastdoor did not start. Its environment may lack the extra: pip install 'blastdoor[lsp]'.",
      "Show the Log",
      "Install",
    );
    if (choice === "Show the Log") {
      log.show();
    } else if (choice === "Install") {
      await install();
    }
  }
}

function restart(context: vscode.ExtensionContext): Promise<void> {
  turn = turn.then(stop).then(() => start(context));
  return turn;
}

/** The server has opened the comparison as a Markdown file: show it as people read it. */
async function preview(): Promise<void> {
  const uri = vscode.window.activeTextEditor?.document.uri;
  if (uri?.path.endsWith("/blastdoor-widens.md")) {
    await vscode.commands.executeCommand("markdown.showPreview", uri);
  }
}

async function offer(): Promise<void> {
  const actions = vscode.workspace.isTrusted ? ["Install", "Settings"] : ["Settings"];
  const choice = await vscode.window.showWarningMessage(
    "blastdoor is neither in the Python environment nor on PATH.",
    ...actions,
  );
  if (choice === "Install") {
    await install();
  } else if (choice === "Settings") {
    await vscode.commands.executeCommand("workbench.action.openSettings", "blastdoor.path");
  }
}

/** Installs with the interpreter that is selected, in a terminal where one sees what happens. */
async function install(): Promise<void> {
  if (!vscode.workspace.isTrusted) {
    void vscode.window.showWarningMessage("blastdoor is installed only from a trusted folder.");
    return;
  }
  const python = (await interpreter()) ?? (process.platform === "win32" ? "py" : "python3");
  const terminal = vscode.window.createTerminal({
    name: "blastdoor",
    shellPath: python,
    shellArgs: ["-I", "-m", "pip", "install", "blastdoor[lsp]"],
    isTransient: true,
  });
  terminal.show();
  const closed = vscode.window.onDidCloseTerminal(async (one) => {
    if (one === terminal) {
      closed.dispose();
      if (one.exitStatus?.code === 0) {
        await vscode.commands.executeCommand("blastdoor.restart");
      } else {
        void vscode.window.showErrorMessage(`${python} could not install blastdoor.`);
      }
    }
  });
}

async function whatWidens(): Promise<void> {
  const document = vscode.window.activeTextEditor?.document;
  if (client === undefined || document === undefined || document.uri.scheme !== "file") {
    void vscode.window.showInformationMessage("Open a file of infrastructure code first.");
    return;
  }
  await client.sendRequest("workspace/executeCommand", {
    command: "blastdoor.widens",
    arguments: [client.code2ProtocolConverter.asUri(document.uri)],
  });
  await preview();
}

export async function activate(context: vscode.ExtensionContext): Promise<void> {
  log = vscode.window.createOutputChannel("blastdoor", { log: true });
  context.subscriptions.push(
    log,
    vscode.commands.registerCommand("blastdoor.restart", () => restart(context)),
    vscode.commands.registerCommand("blastdoor.whatWidens", whatWidens),
    vscode.commands.registerCommand("blastdoor.showLog", () => log.show()),
    vscode.commands.registerCommand("blastdoor.install", install),
    vscode.workspace.onDidChangeConfiguration((event) => {
      if (RESTARTING.some((name) => event.affectsConfiguration(name))) {
        void restart(context);
      }
    }),
    vscode.workspace.onDidGrantWorkspaceTrust(() => restart(context)),
  );
  await restart(context);
}

export function deactivate(): Promise<void> {
  turn = turn.then(stop);
  return turn;
}

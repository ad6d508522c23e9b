// Where the program is: the user's setting, the Python environment, then PATH.

import { execFile } from "node:child_process";
import { access, constants } from "node:fs/promises";
import * as path from "node:path";
import * as vscode from "vscode";

export interface Program {
  command: string;
  args: string[];
  /** Where it was found, for the log. */
  from: string;
}

const WINDOWS = process.platform === "win32";
const NAME = WINDOWS ? "blastdoor.exe" : "blastdoor";

/** The settings, those of an untrusted folder left out by the editor itself (restrictedConfigurations). */
export function settings(): vscode.WorkspaceConfiguration {
  return vscode.workspace.getConfiguration("blastdoor", vscode.workspace.workspaceFolders?.[0]);
}

/** The interpreter of the setting, else the one that the Python extension has selected. */
export async function interpreter(): Promise<string | undefined> {
  const set = settings().get<string>("interpreter", "").trim();
  if (set) {
    return set;
  }
  if (!vscode.workspace.isTrusted) {
    // The selected environment may be one that the folder brings along.
    return undefined;
  }
  const python = vscode.extensions.getExtension("ms-python.python");
  if (python === undefined) {
    return undefined;
  }
  const api: any = python.isActive ? python.exports : await python.activate();
  const folder = vscode.workspace.workspaceFolders?.[0]?.uri;
  const environments = api?.environments;
  if (environments === undefined) {
    return undefined;
  }
  const chosen = environments.getActiveEnvironmentPath(folder);
  const resolved = await environments.resolveEnvironment(chosen);
  return resolved?.executable?.uri?.fsPath;
}

async function runs(file: string): Promise<boolean> {
  try {
    await access(file, WINDOWS ? constants.F_OK : constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Whether an interpreter can import what the server needs; run outside of the folder that is open. */
function imports(python: string): Promise<boolean> {
  const args = ["-I", "-c", "import blastdoor, pygls"];
  return new Promise((resolve) => {
    execFile(python, args, { cwd: path.dirname(python), timeout: 20_000 }, (error) =>
      resolve(error === null),
    );
  });
}

async function onPath(): Promise<string | undefined> {
  const open = (vscode.workspace.workspaceFolders ?? []).map((folder) => folder.uri.fsPath);
  for (const folder of (process.env.PATH ?? "").split(path.delimiter)) {
    if (!path.isAbsolute(folder)) {
      continue;
    }
    const inside = open.some((root) => !path.relative(root, folder).startsWith(".."));
    if (inside && !vscode.workspace.isTrusted) {
      continue;
    }
    const file = path.join(folder, NAME);
    if (await runs(file)) {
      return file;
    }
  }
  return undefined;
}

/** The program to start; `undefined` where there is none. */
export async function program(): Promise<Program | undefined> {
  const more = settings().get<string[]>("args", []);
  const set = settings().get<string>("path", "").trim();
  if (set) {
    return { command: set, args: ["lsp", ...more], from: "the setting blastdoor.path" };
  }
  const python = await interpreter();
  if (python !== undefined && (await imports(python))) {
    const args = ["-I", "-m", "blastdoor", "lsp", ...more];
    return { command: python, args, from: "the Python environment" };
  }
  const found = await onPath();
  if (found !== undefined) {
    return { command: found, args: ["lsp", ...more], from: "PATH" };
  }
  return undefined;
}

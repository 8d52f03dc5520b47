// Reads ask.json, invokes the tool that it names through the editor, and writes what it says into answer.json.

const fs = require('node:fs');
const path = require('node:path');
const vscode = require('vscode');

exports.activate = context => {
  context.subscriptions.push(
    vscode.commands.registerCommand('assistant.ask', async () => {
      const at = name => path.join(vscode.workspace.workspaceFolders[0].uri.fsPath, name);
      const { id, tool, input } = JSON.parse(fs.readFileSync(at('ask.json'), 'utf8'));
      let answer;
      try {
        const known = vscode.lm.tools.find(({ name }) => name === tool);
        const { content } = await vscode.lm.invokeTool(tool, { input, toolInvocationToken: undefined });
        answer = { id, description: known?.description, text: content.map(part => part.value).join('') };
      } catch (error) {
        answer = { id, error: String(error) };
      }
      fs.writeFileSync(at('answer.json.new'), JSON.stringify(answer));
      fs.renameSync(at('answer.json.new'), at('answer.json'));
    }),
  );
};

// The controls of @vscode/webview-ui-toolkit, which is no longer maintained: this file and the one that makes its elements
// (controls.ts) are the only ones that know of it. What it has no control for, and what a list of thousands of rows cannot
// afford, is a plain element with a class of ours.

import {
  provideVSCodeDesignSystem,
  vsCodeButton,
  vsCodeCheckbox,
  vsCodeDropdown,
  vsCodeOption,
  vsCodeProgressRing,
  vsCodeTextField,
} from '@vscode/webview-ui-toolkit';

provideVSCodeDesignSystem().register(
  vsCodeButton(),
  vsCodeCheckbox(),
  vsCodeDropdown(),
  vsCodeOption(),
  vsCodeProgressRing(),
  vsCodeTextField(),
);

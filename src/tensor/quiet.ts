// Must be imported before onnxruntime-node: its library reports usage to its makers unless it is told not to when it is
// loaded. Nothing here leaves the machine.
process.env['ORT_DISABLE_TELEMETRY'] = '1';

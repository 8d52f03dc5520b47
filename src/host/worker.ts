// The program of a host's worker thread: onnxruntime and the curriculum, nothing else. A run of onnxruntime blocks its
// thread and cannot be broken off (terminate() during one aborts the process), so it has a thread of its own.

import { runCurriculum } from '../curriculum/run';
import { serveJob } from './serve-job';

void serveJob(runCurriculum);

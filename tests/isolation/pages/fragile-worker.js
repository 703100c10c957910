// The package's worker, with a way to break it and to shift its clock from outside.
const now = Date.now.bind(Date);
let shift = 0;
Date.now = () => now() + shift;
new BroadcastChannel('break').onmessage = ({ data }) => {
  if (data.shift) shift = data.shift;
  else if (data.how === 'throw') throw new Error('broken');
  else for (;;);
};
import('/pkg/dist/worker.js');

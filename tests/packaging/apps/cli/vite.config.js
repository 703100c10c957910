import tidegate from 'tidegate/vite';

export default { logLevel: 'error', plugins: [tidegate()] };

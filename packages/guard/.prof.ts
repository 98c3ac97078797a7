import { randomBytes } from 'node:crypto'
import { importKey, verify, unsafeDecode, JwtError, sign } from '@sealwax/jwt'
import { GuardError } from '@sealwax/guard'
import { tokenFault } from './src/credentials.ts'
const key=importKey(randomBytes(32),{alg:'HS256'})
const rb=randomBytes(9000).toString('base64url').slice(0,8192)
const b=Buffer.from(rb)
const best=(name: string,f:(s:string)=>void)=>{let m=1e9;for(let r=0;r<25;r++){const a=Array.from({length:2000},()=>b.toString('latin1'));const t=process.hrtime.bigint();for(const s of a)f(s);m=Math.min(m,Number(process.hrtime.bigint()-t)/2000)}console.log(name,(m/1000).toFixed(2))}
best('fault',s=>tokenFault({kind:'token',token:s}))
best('verify garbage',s=>{try{verify(s,key,{issuer:'a',audience:'b',typ:'at+jwt'})}catch{}})
best('unsafeDecode',s=>{try{unsafeDecode(s)}catch{}})
best('JwtError',s=>{new JwtError('ERR_JWT_MALFORMED','x')})
best('GuardError',s=>{new GuardError('token_malformed',{realm:'api'})})
best('slice',s=>{s.slice(7).slice(-22)})
const h=new Map([['abc',1]])
best('tail get',s=>{h.get(s.slice(7).slice(-22))})
const l=Error.stackTraceLimit; Error.stackTraceLimit=0
best('JwtError nostack',s=>{new JwtError('ERR_JWT_MALFORMED','x')})
best('GuardError nostack',s=>{new GuardError('token_malformed',{realm:'api'})})
Error.stackTraceLimit=l
